"""What is seen, and what silence or nonsense becomes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from unittest.mock import AsyncMock

import pytest
from tests.misoperations import sample
from tests.simulation.bank import COLD_WALLET, LND_NODE, Bank
from tests.simulation.lnd import Door
from tests.simulation.sight import NoPlans
from tests.simulation.world import NAMESPACE

from bankstack.clients.lnd.answers import Announced, Channels, Funds, Info, State
from bankstack.engine import declared, manifests
from bankstack.engine.conditions import stamp
from bankstack.engine.finding import Finding, Interrupted, Stalled, Transient, Unknown
from bankstack.engine.objects import POD, SECRET, Manifest
from bankstack.kinds.lndnode import kind, names, observe, questions, stages, users
from bankstack.kinds.lndnode.doors import Doors
from bankstack.kinds.lndnode.facts import Endpoint, Facts, Refused, User
from bankstack.kinds.lndnode.model import RESOURCE

from .given import NOW, node
from .planned import at

OUTSIDE = {"host": "bitcoind.example", "credentialsSecret": "btc"}


async def seen(bank: Bank, doors: Doors | None = None, **spec: Any) -> Facts:  # noqa: ANN401 - what a user writes
    live = bank.live(LND_NODE, "lnd1")
    assert live is not None
    subject: Any = declared.read(RESOURCE, live | {"spec": live["spec"] | spec})
    operator = bank.operators[0]
    return await observe.observe(subject, NoPlans(operator.cluster), doors or bank.lnds.doors(operator.line))


async def running() -> Bank:
    return await Bank().opens().settle()


class Mute:
    """An LND that is in one state and answers nothing else."""

    def __init__(self, state: State | Finding, answer: Finding) -> None:
        self._state, self._answer = state, answer

    async def state(self) -> State:
        if isinstance(self._state, Finding):
            raise Interrupted(self._state)
        return self._state

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - every other question
        async def silent(*_words: object) -> object:
            raise Interrupted(self._answer)

        return silent


def doors(lnd: Any) -> Doors:  # noqa: ANN401 - a Lightning of the test's own
    @asynccontextmanager
    async def connect(_address: str, _roots: bytes) -> AsyncIterator[Any]:
        yield lnd

    async def presented(_host: str, _port: int) -> bytes | None:
        return None

    return Doors(connect, presented)


SILENCE = Finding("LndSilent", "no answer", Transient())
REFUSAL = Finding("MacaroonRefused", "signature mismatch", Stalled())


async def test_a_node_that_runs_is_seen_whole() -> None:
    facts = await seen(await running())
    assert facts.state == State.SERVER_ACTIVE
    assert isinstance(facts.info, Info)
    assert (facts.funds, facts.channels) == (Funds(), Channels())
    assert facts.certificate is not None
    assert facts.presented == facts.certificate
    assert facts.certificate.issuer in facts.trusted
    assert {one.name for one in facts.secrets} == {"lnd1-wallet", "lnd1-ca", "lnd1-tls", "lnd1-api", "lnd1-readonly"}
    assert not any(one.type == SECRET for one in facts.children)
    assert facts.chain.ready is True


@pytest.mark.parametrize(
    ("step", "kept", "since"),
    [
        (stages.RECONCILE, stages.RECORD, NOW - questions.LOOK),
        (stages.ACCOUNT, stages.DRAIN, NOW),
        (stages.ENABLE, stages.RECORD, None),
        (stages.RECORD, stages.DISABLE, None),
    ],
)
async def test_what_left_is_asked_for_since_the_look_that_took_it_down(
    monkeypatch: pytest.MonkeyPatch, step: str, kept: str, since: datetime | None
) -> None:
    asked: list[datetime] = []

    async def sent_msat(_self: Door, _macaroon: bytes, since: datetime) -> int:
        asked.append(since)
        return 0

    bank = await running()
    monkeypatch.setattr(Door, "sent_msat", sent_msat)
    there = at(step, node(), **{kept: {stages.AT: stamp(NOW)}})
    monkeypatch.setattr(NoPlans, "plan", AsyncMock(return_value=there.plan))
    await seen(bank)
    assert asked == ([since] if since else [])


async def test_no_secret_is_in_what_is_seen() -> None:
    bank = await running()
    told = repr(await seen(bank))
    for name in ("lnd1-wallet", "lnd1-ca", "lnd1-tls", "lnd1-api", "vault-rpc-lnd"):
        found = bank.live(SECRET, name)
        assert found is not None
        for key, value in manifests.opened(found).items():
            if key not in ("pubkey", "tls.crt", "tls.cert", "ca.crt", "username"):
                assert value.decode("utf-8", "replace") not in told
    assert "PRIVATE KEY" not in told


@pytest.mark.parametrize(
    ("lnd", "state", "info"),
    [
        (Mute(SILENCE, SILENCE), Unknown("no answer"), Unknown("no answer")),
        (Mute(State.LOCKED, SILENCE), State.LOCKED, Unknown("LND is LOCKED")),
        (Mute(State.RPC_ACTIVE, SILENCE), State.RPC_ACTIVE, Unknown("no answer")),
        (Mute(State.SERVER_ACTIVE, REFUSAL), State.SERVER_ACTIVE, Refused("signature mismatch")),
    ],
)
async def test_silence_stays_silence(lnd: Mute, state: object, info: object) -> None:
    facts = await seen(await running(), doors(lnd))
    assert (facts.state, facts.info) == (state, info)
    assert isinstance(facts.funds, Unknown)
    assert isinstance(facts.channels, Unknown)
    assert isinstance(facts.presented, Unknown)


async def test_an_lnd_whose_pod_ends_is_not_asked_for_its_address_may_lead_nowhere() -> None:
    bank = await running()
    pod = bank.key(POD, "lnd1-0")
    bank.server.edit(pod, lambda one: one["metadata"].update(finalizers=["example.org/held"]), "somebody")
    bank.server.delete(pod)
    facts = await seen(bank, doors(Mute(State.SERVER_ACTIVE, SILENCE)))
    assert {facts.state, facts.info, facts.funds, facts.channels} == {Unknown("its pod is ending")}


async def test_without_the_seed_lnd_cannot_be_asked_who_it_is() -> None:
    bank = await running()
    bank.server.remove(bank.key(SECRET, "lnd1-wallet"))
    facts = await seen(bank)
    assert facts.state == State.SERVER_ACTIVE
    assert isinstance(facts.info, Unknown)
    assert "without the seed" in facts.info.reason
    assert facts.wallet is None


async def test_an_lnd_that_nobody_can_vouch_for_is_not_talked_to() -> None:
    bank = await running()
    for name in ("lnd1-ca", "lnd1-tls", "lnd1-api", "lnd1-readonly"):
        bank.server.remove(bank.key(SECRET, name))
    facts = await seen(bank)
    assert facts.state == Unknown("no authority is known that could vouch for it")
    assert facts.presented != Unknown("")


async def test_a_lost_authority_is_still_trusted_where_a_consumer_trusts_it() -> None:
    bank = await running()
    for name in ("lnd1-ca", "lnd1-tls"):
        bank.server.remove(bank.key(SECRET, name))
    facts = await seen(bank)
    assert facts.authority is None
    assert facts.state == State.SERVER_ACTIVE


async def test_a_volume_without_labels_is_still_the_volume() -> None:
    bank = await running()
    key = bank.key(names.volume("lnd1").type, "lnd1-data")
    bank.server.edit(key, lambda live: live["metadata"].pop("labels"), "somebody")
    assert names.volume("lnd1") in (await seen(bank)).children


async def test_any_other_bitcoind_is_taken_at_its_word() -> None:
    bank = await running()
    facts = await seen(bank, bitcoind=OUTSIDE)
    assert facts.chain.endpoint is not None
    assert facts.chain.endpoint == Endpoint("bitcoind.example", 18443, 28332, 28333, "btc")
    assert (facts.chain.ready, facts.chain.credentials) == (True, None)
    bank.user_applies(
        SECRET, manifests.secret({"name": "btc", "namespace": NAMESPACE}, {"username": b"u", "password": b""})
    )
    assert (await seen(bank, bitcoind=OUTSIDE)).chain.credentials == frozenset({"username"})


async def test_a_cold_wallet_that_is_gone_is_missed() -> None:
    bank = await running()
    assert (await seen(bank, bitcoind={"coldWallet": "other"})).chain.missing


def status(bank: Bank, change: Manifest) -> None:
    def write(live: Manifest) -> None:
        live["status"] = change

    bank.server.edit(bank.key(COLD_WALLET, "vault"), write, "somebody", status=True)


ENDPOINT = {
    "host": "h", "rpcPort": 1, "zmqBlockPort": 2, "zmqTxPort": 3, "credentialsSecret": "vault-rpc-lnd",
}  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "ready"),
    [
        ([], Unknown("its ColdWallet has not said whether the chain is ready")),
        ([{"type": "ChainReady", "status": "Unknown", "message": "it is asked"}], Unknown("it is asked")),
        ([{"type": "ChainReady", "status": "False", "message": "it is behind"}], False),
        ([{"type": "ChainReady", "status": "True", "message": "it follows"}], True),
    ],
)
async def test_what_a_cold_wallet_says_of_its_chain(conditions: list[Manifest], ready: object) -> None:
    bank = await running()
    status(bank, {"endpoint": ENDPOINT, "conditions": conditions})
    chain = (await seen(bank)).chain
    assert chain.ready == ready
    assert chain.endpoint == Endpoint("h", 1, 2, 3, "vault-rpc-lnd")


@pytest.mark.parametrize("lacking", ["host", "rpcPort", "credentialsSecret"])
async def test_an_endpoint_that_is_not_whole_is_none(lacking: str) -> None:
    bank = await running()
    status(bank, {"endpoint": {key: value for key, value in ENDPOINT.items() if key != lacking}})
    assert (await seen(bank)).chain.endpoint is None


def test_a_node_is_woken_by_what_it_waits_for() -> None:
    def named(**spec: Any) -> set[str]:  # noqa: ANN401 - what a user writes
        return {str(one) for one in kind.references(RESOURCE.spec.model_validate(sample("lnd1")["spec"] | spec))}  # type: ignore[arg-type]  # RESOURCE's spec is LndNode's

    assert named() == {"ColdWallet vault", "Secret lnd1-wallet"}
    assert named(tls={"caSecret": "ca"}, bitcoind=OUTSIDE) == {"Secret lnd1-wallet", "Secret btc", "Secret ca"}


async def test_numbers_that_change_by_themselves_are_gauges_and_only_while_they_are_known() -> None:
    bank = await running()
    told = kind.gauges(await seen(bank))
    assert told["bankstack_lndnode_synced"] == 1
    assert told["bankstack_lndnode_channel_local_sat"] == 0
    assert told["bankstack_lndnode_certificate_expires_timestamp_seconds"] > bank.now.timestamp()
    assert all(name.startswith("bankstack_lndnode_") for name in told)
    assert kind.gauges(await seen(bank, doors(Mute(SILENCE, SILENCE)))) == {}


@pytest.mark.parametrize(("recycle", "most"), [(None, 8 * 2**30), ({"maxDatabaseSize": "500M"}, 500_000_000)])
def test_the_size_that_a_database_may_have_is_told_to_those_who_measure_it(
    recycle: dict[str, str] | None, most: int
) -> None:
    assert kind.bounds(node(recycle=recycle)) == {"bankstack_lndnode_max_database_bytes": most}


class Announces(Mute):
    """An LND with channels, which says of each whether the network may use it; `told` are the questions."""

    def __init__(self, public: frozenset[str], *, silent_of: str = "") -> None:
        super().__init__(State.SERVER_ACTIVE, SILENCE)
        self._public, self._silent_of = public, silent_of
        self.told: list[frozenset[str]] = []

    async def funds_and_channels(self, _macaroon: bytes) -> tuple[Funds, Channels]:
        return Funds(), Channels(open=self._public | {"private:0"}, public=self._public)

    async def announced(self, _macaroon: bytes, _me: str, outpoints: frozenset[str]) -> Announced:
        self.told.append(outpoints)
        if self._silent_of in outpoints:
            raise Interrupted(SILENCE)
        return Announced(enabled=outpoints - {"b:1"}, disabled=outpoints & {"b:1"})


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ({"a:0", "b:1", "private:0", "gone:0"}, [{"a:0", "b:1", "private:0", "gone:0"}]),
        ({"a:0"}, [{"a:0"}, {"b:1"}]),
        (set(), [set(), {"a:0", "b:1"}]),
    ],
)
async def test_what_the_network_is_told_of_is_asked_of_stored_channels_at_once_and_of_new_ones_then(
    stored: set[str], asked: list[set[str]]
) -> None:
    lnd: Any = Announces(frozenset({"a:0", "b:1"}))
    answers = await questions.Visit(at(stages.DISABLE), lnd, frozenset(stored), b"r" * 32).answers()
    assert answers.announced == Announced(enabled=frozenset({"a:0"}), disabled=frozenset({"b:1"}))
    assert lnd.told == asked


@pytest.mark.parametrize("silent_of", ["a:0", "b:1"])
async def test_half_an_answer_of_what_the_network_is_told_is_none(silent_of: str) -> None:
    lnd: Any = Announces(frozenset({"a:0", "b:1"}), silent_of=silent_of)
    answers = await questions.Visit(at(stages.DISABLE), lnd, frozenset({"a:0"}), b"r" * 32).answers()
    assert answers.announced == Unknown("no answer")


async def test_lnd_is_asked_after_those_who_pay_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A payment that was on its way before an API said that its programs leave the node alone is still counted."""
    bank = await running()
    bank.calls.made.clear()

    async def late(*_: object) -> tuple[User, ...]:
        for _turn in range(200):
            await asyncio.sleep(0)
        bank.calls.made.append("the API's word")
        return ()

    monkeypatch.setattr(users, "users", late)
    await seen(bank)
    asked = next(at for at, call in enumerate(bank.calls.made) if call.startswith("lnd "))
    assert bank.calls.made.index("the API's word") < asked
