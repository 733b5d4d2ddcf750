"""Closing channels and sending coins, as it goes over the wire."""

from typing import Any

import grpc
import pytest

from bankstack.clients.lnd import lnd_pb2 as pb
from bankstack.clients.lnd.answers import Account, Closure, Transaction

from .test_lnd import MACAROON, lnd, refusal

OUTPOINT = "ab" * 32 + ":1"


async def test_a_channel_is_asked_to_be_closed_by_both_and_never_by_force() -> None:
    async with lnd({"Lightning/CloseChannel": pb.CloseStatusUpdate()}) as (node, server, _):
        await node.close(MACAROON, OUTPOINT, 7)
        await node.close(MACAROON, OUTPOINT, None)
    wanted = pb.CloseChannelRequest(channel_point={"funding_txid_str": "ab" * 32, "output_index": 1})
    (_, first, macaroon), (_, second, _) = server.asked
    assert (macaroon, pb.CloseChannelRequest.FromString(second)) == (MACAROON.hex(), wanted)
    wanted.sat_per_vbyte = 7
    assert pb.CloseChannelRequest.FromString(first) == wanted
    # Field 2, were it there, would be force.
    assert b"\x10" not in first[:1]


async def test_what_lnd_says_against_a_close_is_passed_on() -> None:
    refused = (grpc.StatusCode.UNKNOWN, "unable to gracefully close channel while peer is offline")
    async with lnd({"Lightning/CloseChannel": refused}) as (node, _, _):
        stop = await refusal(node.close(MACAROON, OUTPOINT, None))
    assert " refuses CloseChannel (UNKNOWN: unable to" in stop.finding.message
    assert "while peer is offline" in stop.finding.message


async def test_coins_are_all_sent_under_the_plan_s_label() -> None:
    async with lnd({"Lightning/SendCoins": pb.SendCoinsResponse(txid="ff")}) as (node, server, _):
        await node.send_all(MACAROON, "bcrt1q", "bankstack plan p1", 3)
    sent = pb.SendCoinsRequest.FromString(server.asked[0][1])
    assert sent == pb.SendCoinsRequest(addr="bcrt1q", send_all=True, label="bankstack plan p1", sat_per_vbyte=3)


@pytest.mark.parametrize(("kind", "cooperative"), [("COOPERATIVE_CLOSE", True), ("REMOTE_FORCE_CLOSE", False)])
async def test_how_a_channel_ended_is_read(kind: str, cooperative: bool) -> None:  # noqa: FBT001
    told: dict[str, Any] = {
        "channel_point": OUTPOINT, "closing_tx_hash": "cc", "capacity": 100, "close_height": 9, "settled_balance": 40,
        "close_type": kind, "open_initiator": "INITIATOR_LOCAL",
    }  # fmt: skip
    async with lnd({"Lightning/ClosedChannels": pb.ClosedChannelsResponse(channels=[told])}) as (node, _, _):
        assert await node.closures(MACAROON) == (Closure(OUTPOINT, "cc", 9, 100, 40, cooperative, ours=True),)


async def test_a_transaction_is_read_with_what_came_back() -> None:
    outputs = [{"amount": 5}, {"amount": 7, "is_our_address": True}]
    told = pb.Transaction(
        tx_hash="aa", amount=-6, total_fees=1, num_confirmations=2, label="l", output_details=outputs
    )  # fmt: skip
    async with lnd({"Lightning/GetTransactions": pb.TransactionDetails(transactions=[told])}) as (node, server, _):
        assert await node.transactions(MACAROON, 812) == (Transaction("aa", -6, 1, 2, "l", 12, 7),)
    asked = pb.GetTransactionsRequest.FromString(server.asked[0][1])
    assert (asked.start_height, asked.end_height) == (812, -1)


async def test_accounts_are_read_with_their_purpose() -> None:
    own = {"extended_public_key": "vpub", "derivation_path": "m/84'/1'/0'", "external_key_count": 3}
    listed: list[Any] = [own, {"extended_public_key": "tpub", "watch_only": True}, {"external_key_count": 9}]
    async with lnd({"/walletrpc.WalletKit/ListAccounts": pb.ListAccountsResponse(accounts=listed)}) as (node, _, _):
        assert await node.accounts(MACAROON) == (Account("84", "vpub", 3, 0),)
