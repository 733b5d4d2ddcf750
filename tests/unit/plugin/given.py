"""A bank as the API server tells it, a cluster that holds it, and a person at a terminal (or nobody)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bankstack.engine.objects import API_VERSION, CHANGE_PLAN, PLAN_APPROVAL, Manifest, Ref, Type
from bankstack.plans import journal
from bankstack.plans.journal import Entry, Journal
from bankstack.plugin import arguments, at_work, commands
from bankstack.plugin.access import Refused
from bankstack.plugin.commands import Answer, Round
from bankstack.plugin.page import Page

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HASH = "sha256:" + "2c26b46b" + "0" * 56
OTHER = "sha256:" + "fcde2b2e" + "0" * 56


def condition(
    kind: str, status: str = "True", reason: str = "AsDeclared", message: str = "all is as declared"
) -> Manifest:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-21T02:13:00Z",
    }


READY = condition("Ready")


def resource(kind: str, name: str, *conditions: Manifest, spec: Manifest | None = None, **status: Any) -> Manifest:  # noqa: ANN401
    meta = {"name": name, "namespace": "bank", "generation": 1, "uid": f"uid-{name}"}
    told = {"observedGeneration": 1, "conditions": [*conditions], **status}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": meta, "spec": spec or {}, "status": told}


VAULT = resource(
    "ColdWallet", "vault", READY, condition("ChainReady"), condition("WalletReady"), condition("SpecterReady"),
    chain="regtest",
)  # fmt: skip
LND1 = resource(
    "LndNode", "lnd1", READY, condition("Synced"), condition("ChannelBackup"), state="SERVER_ACTIVE", channels=1
)
LEDGER = resource(
    "LedgerCluster",
    "ledger",
    READY,
    condition("Writable"),
    condition("WriteConcernKept"),
    primary="ledger-east-0",
    term=3,
    writeConcern={"w": "majority", "journal": True},
    members=[{"name": "a", "lag": "Current"}, {"name": "b", "lag": "Current"}, {"name": "c", "lag": "Behind"}],
)
API = resource(
    "ApiDeployment",
    "bank",
    READY,
    mode="Full",
    redis={"master": "bank-redis-0.bank-redis.bank.svc", "members": 3},
    components=[{"name": "api", "wanted": 2, "ready": 2}, {"name": "trigger", "wanted": 1, "ready": 1}],
)

STEPS = [
    {
        "name": "Check",
        "state": "Done",
        "startedAt": "2026-11-21T11:49:34Z",
        "finishedAt": "2026-11-21T11:49:35Z",
        "evidence": "synced at height 113, 1 channels",
    },
    {"name": "Drain", "state": "Running", "startedAt": "2026-11-21T11:49:35Z"},
    {"name": "Stop", "state": "Pending"},
]
LACKS = (
    "1 approval is missing, by people other than alice: a PlanApproval with plan restart-1, hash "
    f"{HASH} and the approver's own name"
)


def plan(name: str = "restart-1", status: Manifest | None = None, **spec: Any) -> Manifest:  # noqa: ANN401 - of a ChangePlan
    asked = {
        "target": {"kind": "LndNode", "name": "lnd1"},
        "operation": "Restart",
        "requestedBy": "alice",
        "notAfter": "2026-11-22T00:00:00Z",
        "reason": "channel database is 9.8 GiB",
    }
    meta = {"name": name, "namespace": "bank", "uid": f"uid-{name}", "creationTimestamp": "2026-11-21T11:00:00Z"}
    told = {"status": status} if status else {}
    return {"apiVersion": API_VERSION, "kind": "ChangePlan", "metadata": meta, "spec": asked | spec} | told


def awaiting(name: str = "restart-1", *, of: str = HASH, replanned: str = "", **spec: Any) -> Manifest:  # noqa: ANN401
    status = {
        "state": "AwaitingApproval",
        "message": LACKS,
        "missing": [LACKS],
        "risk": "Amber",
        "hash": of,
        "impact": [{"name": "channelSats", "value": 1000000, "most": 2250000}],
        "uses": {"change": "lnd.conf (config)", "version": "v0.21.2-beta"},
        "steps": [{"name": one["name"], "state": "Pending"} for one in STEPS],
        **({"replanned": replanned} if replanned else {}),
    }
    return plan(name, status, **spec)


def running(name: str = "restart-1") -> Manifest:
    status = {
        "state": "Running",
        "message": "2 HTLCs are on their way",
        "risk": "Amber",
        "hash": HASH,
        "step": "Drain",
        "approvedBy": ["bob"],
        "steps": STEPS,
    }
    return plan(name, status)


def approval(by: str = "bob", of: str = HASH, plan: str = "restart-1") -> Manifest:
    spec = {"plan": plan, "hash": of, "approver": by}
    return {"apiVersion": API_VERSION, "kind": "PlanApproval", "metadata": {"name": f"{plan}-{by}"}, "spec": spec}


def entry(name: str, minute: int, **more: Any) -> Entry:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {
        "plan": name, "uid": f"uid-{name}", "target": "LndNode lnd1", "operation": "Restart", "hash": HASH,
        "requested_by": "alice", "approved_by": ("bob",), "state": "Succeeded", "message": "all 10 steps are done",
        "created_at": "2026-11-21T10:00:00Z", "started_at": "2026-11-21T10:30:00Z",
        "finished_at": f"2026-11-21T11:{minute:02}:00Z", "not_after": "2026-11-22T00:00:00Z",
    }  # fmt: skip
    return Entry(**fields | more)


def chain(*entries: Entry) -> Manifest:
    book = Journal()
    for one in entries:
        book = book.end(one)
    made = journal.manifest(book, "bank", NOW)
    return made | {"metadata": made["metadata"] | {"resourceVersion": "7"}}


@dataclass
class Bank:
    """What the cluster holds, who asks, and what was written. `drawn` comes up at the second look at a plan."""

    held: list[Manifest] = field(default_factory=list)
    me: str = "bob"
    written: list[Manifest] = field(default_factory=list)
    drawn: list[Manifest] = field(default_factory=list)
    refusal: str = ""
    unknown: frozenset[str] = frozenset()

    async def get(self, one: Ref, namespace: str) -> Manifest | None:
        assert namespace == (at_work.SYSTEM if one == at_work.REF else "bank")
        if one.type == CHANGE_PLAN and self.drawn:
            self.held = [other for other in self.held if other["metadata"]["name"] != one.name]
            self.held.append(self.drawn.pop(0))
        return next((held for held in self.held if _is(held, one)), None)

    async def list(self, of: Type, namespace: str) -> tuple[Manifest, ...]:
        assert namespace == "bank"
        return tuple(held for held in self.held if held["kind"] == of.kind)

    async def create(self, of: Type, manifest: Manifest, namespace: str) -> Manifest:
        assert of in (CHANGE_PLAN, PLAN_APPROVAL)
        return self._written(manifest | {"metadata": manifest["metadata"] | {"namespace": namespace}})

    async def change(self, one: Ref, namespace: str, what: Mapping[str, object]) -> Manifest:
        return self._written({"one": str(one), "namespace": namespace, **what})

    async def whoami(self) -> str:
        return self.me

    def _written(self, manifest: Manifest) -> Manifest:
        if self.refusal:
            raise Refused(self.refusal)
        self.written.append(manifest)
        if "kind" in manifest:
            self.held.append(manifest)
        return manifest


def _is(held: Manifest, one: Ref) -> bool:
    return bool(held["kind"] == one.type.kind and held["metadata"]["name"] == one.name)


@dataclass
class Somebody:
    """At a terminal, with an answer ready; `says` None: nobody is there."""

    says: str | None = None
    read: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def is_there(self) -> bool:
        return self.says is not None

    def answers(self, question: str) -> str:
        self.asked.append(question)
        return self.says or ""

    def reads(self, lines: list[str]) -> None:
        self.read += lines


async def told(bank: Bank, words: str, person: Somebody | None = None, page: Page | None = None) -> Answer:
    """What a command answers, as it would be typed."""
    asked = arguments.parse(words.split())
    name = f"plan {asked.plan_command}" if asked.command == "plan" else asked.command
    at = Round(asked, bank, asked.namespace or "bank", person or Somebody(), page or Page(), NOW)
    return await commands.COMMANDS[name](at)
