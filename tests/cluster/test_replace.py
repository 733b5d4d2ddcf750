"""An LND with channels and coins is replaced: every satoshi is found again, and somebody else serves under its name."""

import re
from collections.abc import Iterator

import pytest

from bankstack.kinds.lndnode import stages
from demokit.outside import Outside

from .bank import Bank
from .conftest import Lab, Manifest, eventually
from .operated import Operator
from .test_plans import approval, await_state, is_well, made, may, plan, restart, status

BANK = "replaced"
PLAN = "replace-1"

SUM = re.compile(
    r"(\d+) sat at the start = (\d+) at the destination \+ (\d+) fee of sending \+ (\d+) fees of closing (\d+) channels"
    r" \+ (\d+) left, to the satoshi"
)


#: Addresses that the first identity gave out.
OLD: list[str] = []


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    lab.does("load", "lnd", "bitcoind", "specter")
    return Operator.deployed(lab, BANK)


@pytest.fixture(scope="module")
def outside(lab: Lab, operator: Operator) -> Iterator[Outside]:  # noqa: ARG001 - order
    yield Outside.started(lab, f"vault-bitcoind-p2p.{BANK}.svc:18444")
    lab.kubectl("delete", "namespace", "outside", "--wait=false")


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator, outside: Outside) -> Iterator[Bank]:  # noqa: ARG001 - order
    """Coins on-chain, and two channels that the outside opened, with coins on both sides."""
    room = Bank.of(lab, BANK)
    room.apply_samples()
    room.apply(may("alice", "bankstack-edit"), may("bob", "bankstack-approve"), may("carol", "bankstack-approve"))
    room.await_resources("ColdWallet/vault", "LndNode/lnd1")
    me = status(room)["identityPubkey"]
    outside.fund_lnd("1")
    for sat in (1_000_000, 700_000):
        outside.open_channel(me, f"lnd1-p2p.{BANK}.svc:9735", sat)
    outside.send(room.as_api("newaddress", "p2wkh")["address"], "0.005")
    for sat in (300_000, 200_000, 11):
        assert outside.pays(room.as_api("addinvoice", f"--amt={sat}")["payment_request"])
    invoice = outside.lncli("addinvoice", "--amt=4321")["payment_request"]
    room.as_api("payinvoice", "--force", "--json", "--timeout=60s", invoice)
    outside.mine(6)
    eventually(lambda: is_well(room, channels=2), 120, "lnd1 has two channels, in a backup")
    yield room
    lab.kubectl("delete", "namespace", BANK, "--timeout=150s", timeout=180)


def step(bank: Bank) -> str:
    return str(plan(bank, PLAN).get("step"))


def mined_until(bank: Bank, outside: Outside, *names: str) -> None:
    """Blocks, one at a time, until the plan is in one of these steps or has ended."""

    def there() -> bool:
        if step(bank) in names or plan(bank, PLAN).get("state") not in ("Running", "AwaitingApproval"):
            return True
        outside.mine(1)
        return False

    eventually(there, 240, lambda: f"the plan comes to {names}; {plan(bank, PLAN)}")


def evidence(ended: Manifest) -> dict[str, str]:
    return {one["name"]: str(one.get("evidence")) for one in ended["steps"]}


def own_sat(bank: Bank) -> int:
    """What lnd1 has by its own word; of its channels the outside is the opener."""
    channels = int(bank.as_api("channelbalance")["local_balance"]["sat"])
    return channels + int(bank.as_api("walletbalance")["confirmed_balance"])


def received(outside: Outside, address: str) -> int:
    """What the miner's wallet has at an address, in a block."""
    return round(float(outside.cli("getreceivedbyaddress", address, "1")) * 10**8)


def test_a_replacement_by_two_approvals_accounts_for_every_satoshi(
    bank: Bank, outside: Outside, operator: Operator
) -> None:
    before, own = status(bank), own_sat(bank)
    OLD.extend(bank.as_api("newaddress", kind)["address"] for kind in ("p2wkh", "p2tr"))
    destination = outside.cli("getnewaddress")
    made(bank, "alice", restart(PLAN, operation="Replace", parameters={"destination": destination}))
    shown = await_state(bank, PLAN, "AwaitingApproval")
    assert {one["name"]: one["value"] for one in shown["impact"]}["channelsClosed"] == 2
    made(bank, "bob", approval(f"{PLAN}-bob", PLAN, "bob", shown["hash"]))
    made(bank, "carol", approval(f"{PLAN}-carol", PLAN, "carol", shown["hash"]))
    mined_until(bank, outside, stages.STOP, stages.RETIRE, stages.RENEW, stages.START, stages.FRESH)
    ended = await_state(bank, PLAN, "Succeeded", within=300)
    for one in ended["steps"]:
        print(f"{one['name']:10} {one['startedAt'][11:19]} {one['finishedAt'][11:19]} {one.get('evidence')}")

    told = SUM.match(evidence(ended)["Account"])
    assert told, evidence(ended)["Account"]
    start, swept, sweep_fee, close_fees, count, left = map(int, told.groups())
    assert start == own
    assert start == swept + sweep_fee + close_fees + left
    assert (count, close_fees, left) == (2, 0, 0), "the outside opened both and paid for their ends"
    assert received(outside, destination) == swept
    closed = outside.lncli("closedchannels")["channels"]
    assert {one["close_type"] for one in closed} == {"COOPERATIVE_CLOSE"}

    after = status(bank)
    assert after["identityPubkey"] != before["identityPubkey"]
    assert [one["identityPubkey"] for one in after["retired"]] == [before["identityPubkey"]]
    assert after["generation"] == 2
    kept = bank.get("secret", after["retired"][0]["secret"])["data"]
    assert {"password", "seed", "channel.backup", "pubkey"} <= set(kept)
    assert {"lnd1-data", "lnd1-data-2"} <= {one["metadata"]["name"] for one in bank.get("pvc")["items"]}
    assert operator.forbidden() == []


def test_a_late_payment_to_an_old_address_is_found(bank: Bank, outside: Outside) -> None:
    eventually(lambda: coins(bank).get("reason") == "None", 120, lambda: f"old addresses are watched; {coins(bank)}")
    for address in OLD:
        outside.send(address, "0.00061234")
    wanted = f"{2 * 61_234} sat are at an address of"
    eventually(lambda: wanted in coins(bank).get("message", ""), 120, lambda: f"the coins are found; {coins(bank)}")
    assert coins(bank)["status"] == "True"
    assert status(bank)["retired"][0]["secret"] in coins(bank)["message"]
    print(coins(bank)["message"])


def coins(bank: Bank) -> Manifest:
    return bank.condition("LndNode", "lnd1", "RetiredCoins")


def test_the_next_identity_can_receive(bank: Bank, outside: Outside) -> None:
    # What its API mounts is another's now: the pod that asks is made anew.
    bank.kubectl("delete", "pod", "api", "--wait=true", "--ignore-not-found")
    me = status(bank)["identityPubkey"]
    outside.open_channel(me, f"lnd1-p2p.{BANK}.svc:9735", 500_000)
    assert outside.pays(bank.as_api("addinvoice", "--amt=1234")["payment_request"])
    assert int(bank.as_api("channelbalance")["local_balance"]["sat"]) == 1234
