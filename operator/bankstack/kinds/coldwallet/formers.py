"""Which Lightning identities were retired behind this bitcoind, and what came to their addresses: reads only."""

import asyncio
from dataclasses import replace
from typing import Final

from bankstack.clients import bitcoind as client
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import SECRET, Manifest, Ref
from bankstack.engine.ports import Reader, resource_type
from bankstack.kinds.coldwallet.facts import Silent
from bankstack.kinds.coldwallet.former import DESCRIPTORS, Former
from bankstack.kinds.coldwallet.names import ColdWallet
from bankstack.kinds.lndnode import model as lndnode

LND_NODE: Final = resource_type(lndnode.RESOURCE)


async def declared(wallet: ColdWallet, reader: Reader) -> tuple[Former, ...]:
    """By the status of every LndNode that uses this bitcoind, where a tombstone says what to watch."""
    nodes = await reader.list(LND_NODE, wallet.namespace, {})
    told = [former for node in nodes if _is_ours(wallet, node) for former in _of(node)]
    stones = await asyncio.gather(*(reader.get(Ref(SECRET, one.secret), wallet.namespace) for one in told))
    return tuple(one for one, stone in zip(told, stones, strict=True) if stone and DESCRIPTORS in stone.get("data", {}))


async def seen(
    formers: tuple[Former, ...], account: client.Account | Silent, connect: client.Connect
) -> tuple[Former, ...]:
    """The same with what bitcoind has of each."""
    if isinstance(account, Silent):
        return tuple(replace(one, balance_sat=Unknown(account.what)) for one in formers)
    if not formers:
        return ()
    async with connect(account) as bitcoind:
        try:
            loaded = await bitcoind.wallets()
            return tuple([replace(one, balance_sat=await _balance(bitcoind, one, loaded)) for one in formers])
        except (client.NoAnswer, client.Refused) as error:
            return tuple(replace(one, balance_sat=Unknown(str(error))) for one in formers)


async def _balance(bitcoind: client.Bitcoind, one: Former, loaded: tuple[str, ...]) -> int | Unknown | None:
    if one.wallet not in loaded:
        return None
    said = await bitcoind.wallet(one.wallet)
    if said.scanned is not None:
        return Unknown("the chain is being looked through")
    return said.balance_sat if said.watched else None


def _is_ours(wallet: ColdWallet, node: Manifest) -> bool:
    return bool(node.get("spec", {}).get("bitcoind", {}).get("coldWallet") == wallet.name)


def _of(node: Manifest) -> list[Former]:
    retired = node.get("status", {}).get("retired") or ()
    name = str(node["metadata"]["name"])
    return [Former(name, str(one["identityPubkey"]), str(one["retiredAt"]), str(one["secret"])) for one in retired]
