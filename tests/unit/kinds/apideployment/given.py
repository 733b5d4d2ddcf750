"""An ApiDeployment and what is true around it, in one line; and what its actions make of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.simulation.fieldsets import managed

from bankstack.clients.redis import Member, View
from bankstack.engine.decision import Action, Apply, Ask, Delete
from bankstack.engine.declared import Declared
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import (
    DEPLOYMENT,
    JOB,
    POD,
    SECRET,
    STATEFUL_SET,
    Manifest,
    Ref,
    by_ref,
    ref,
)
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.decide import MEND_ACCOUNTS, TELL_PODS, decide
from bankstack.kinds.apideployment.facts import Content, Facts, Ledger, Redis, Said, Told
from bankstack.kinds.apideployment.model import ApiDeploymentSpec, ApiDeploymentStatus
from bankstack.kinds.apideployment.names import Api

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SILENT = Unknown("it is silent")
HOSTS = tuple(f"bank-redis-{number}.bank.svc" for number in range(3))

MASTER = Member(
    is_master=True, replicas=2, run_id="r0", replication_id="x", used_memory=1, policy="noeviction", persists=True
)
REPLICA = replace(MASTER, is_master=False, replicas=0, master_host=HOSTS[0])
VIEW = View(HOSTS[0], 6379, epoch=1, is_down=False, replicas=2, others=2, agrees=True)
REDIS = Redis((MASTER, REPLICA, REPLICA), (VIEW, VIEW, VIEW))

API: Manifest = {
    "name": "api",
    "image": "bank/api:1",
    "replicas": 2,
    "intake": True,
    "ports": [{"name": "http", "port": 4002}],
    "probes": {"readiness": {"httpGet": {"path": "/healthz", "port": 4002}}},
}
MIGRATE: Manifest = {"name": "migrate", "image": "bank/migrate:1", "job": True}
TRIGGER: Manifest = {"name": "trigger", "image": "bank/trigger:1", "singleton": True}
HISTORY: Manifest = {
    "name": "history",
    "image": "bank/history:1",
    "volumes": [{"name": "data", "mountPath": "/data", "size": "1Gi"}],
}
CRON: Manifest = {"name": "cron", "image": "bank/cron:1", "schedule": "0 2 * * *"}
ALL = [MIGRATE, API, TRIGGER, HISTORY, CRON]

SPEC: Manifest = {
    "ledger": {"name": "ledger", "database": "galoy", "user": "api"},
    "lightning": [{"node": "lnd1", "roles": ["offchain", "onchain"]}, {"node": "lnd2", "roles": ["offchain"]}],
    "coldWallet": "vault",
    "redis": {"managed": {"version": "8.0", "members": 3}},
    "components": ALL,
}


def api(*, deleting: bool = False, status: ApiDeploymentStatus | None = None, **spec: Any) -> Api:  # noqa: ANN401 - what a user writes
    """The bank's API, as it was declared and as it was last told of."""
    written = SPEC | spec
    meta = {"name": "bank", "namespace": "bank", "uid": "u1", "generation": 1}
    return Declared(
        kind="ApiDeployment",
        name="bank",
        namespace="bank",
        uid="u1",
        generation=1,
        spec=ApiDeploymentSpec.model_validate(written),
        status=status or ApiDeploymentStatus(),
        manifest={"metadata": meta, "spec": written},
        deleting=deleting,
    )


def component(**fields: Any) -> Api:  # noqa: ANN401 - what a user writes
    """A bank of one component, called api."""
    return api(components=[{"name": "api", "image": "bank/api:1"} | fields])


def saying(network: str | None = "regtest", state: str | None = None, **conditions: str) -> Told:
    """Another resource whose conditions have these statuses."""
    said = {kind: Said(status, "Said", "it is said so") for kind, status in conditions.items()}
    return Told(said, network=network, state=state)


LEDGER = Ledger(
    saying(None, Writable="True"),
    hosts=("ledger-0.ledger.bank.svc:27017",),
    replica_set="ledger",
    secret="ledger-api",  # noqa: S106 - a name
)
NODE = saying(state="SERVER_ACTIVE", Ready="True", Synced="True")
BEHIND = saying(state="SERVER_ACTIVE", Ready="False", Synced="False")
DOWN = saying(state="Unknown", Ready="False", Synced="Unknown")
CHAIN = saying(ChainReady="True")
PASSWORD = Content("u/1", frozenset({"password", "uri"}))
CONTENTS = {
    Ref(SECRET, "ledger-api"): PASSWORD,
    Ref(SECRET, "bank-redis-api"): PASSWORD,
    Ref(SECRET, "lnd1-api"): Content("u/2", frozenset({"pubkey"})),
    Ref(SECRET, "lnd2-api"): Content("u/3", frozenset({"pubkey"})),
}


def well(**more: Any) -> Facts:  # noqa: ANN401 - any facts
    """All that the API needs is there and well; nothing of its own is made."""
    facts = Facts(
        ledger=LEDGER, nodes={"lnd1": NODE, "lnd2": NODE}, chain=CHAIN, contents=CONTENTS, redis=REDIS
    )  # fmt: skip
    return replace(facts, **more)


def running(bank: Api, **more: Any) -> tuple[Api, Facts]:  # noqa: ANN401 - any facts
    """Everything made and as declared; and the API that has told so."""
    bank, facts = settled(bank, well())
    return bank, replace(facts, **more)


def settled(bank: Api, facts: Facts) -> tuple[Api, Facts]:
    """After as many passes as it takes; fails where it takes too many."""
    for _ in range(8):
        decision = decide(bank, facts, NOW)
        assert isinstance(decision.status, ApiDeploymentStatus)
        said, bank = bank.status, replace(bank, status=decision.status)
        if not decision.actions and said == decision.status:
            return bank, facts
        facts = carried_out(facts, decision.actions)
    raise AssertionError(f"still acting: {[str(one) for one in decision.actions]}")


def carried_out(facts: Facts, actions: Iterable[Action]) -> Facts:
    """What is true once the actions are done, in a small world where every pod starts at once."""
    children = dict(facts.children)
    for action in actions:
        match action:
            case Apply(manifest=manifest):
                one = ref(manifest)
                children[one] = live(manifest, children.get(one))
                children |= by_ref(pods(children[one]))
            case Delete(ref=gone):
                children = {one: kept for one, kept in children.items() if one != gone and not _is_of(gone, one)}
            case Ask(action=name, words=words):
                for pod in words["pods"].split() if name == TELL_PODS else ():
                    children = told(children, pod.partition("/")[0], words["mode"])
                if name == MEND_ACCOUNTS:
                    facts = replace(facts, accounts_intact=True)
    return replace(facts, children=children)


def live(manifest: Manifest, before: Manifest | None = None) -> Manifest:
    """A manifest as the API server and its controllers have it once we have applied it."""
    meta = {"uid": f"uid-of-{manifest['metadata']['name']}", "generation": 1, "managedFields": managed(manifest)}
    status = before.get("status", {}) if before else {}
    wanted = manifest.get("spec", {}).get("replicas", 0)
    ready = {"observedGeneration": 1, "updatedReplicas": wanted, "readyReplicas": wanted, "availableReplicas": wanted}
    if ref(manifest).type in (DEPLOYMENT, STATEFUL_SET):
        status = ready
    if ref(manifest).type == JOB and not status:
        status = {"conditions": [{"type": "Complete", "status": "True"}]}
    return manifest | {"metadata": manifest["metadata"] | meta, "status": status}


def pods(owner: Manifest) -> list[Manifest]:
    """The pods that a workload makes."""
    if ref(owner).type not in (DEPLOYMENT, STATEFUL_SET):
        return []
    name, template = owner["metadata"]["name"], owner["spec"]["template"]
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-{number}", "uid": f"pod-{number}", "labels": template["metadata"]["labels"]},
            "status": {"phase": "Running", "podIP": "10.0.0.9"},
        }
        for number in range(owner["spec"]["replicas"])
    ]


def _is_of(workload: Ref, pod: Ref) -> bool:
    return (
        workload.type in (DEPLOYMENT, STATEFUL_SET) and pod.type == POD and pod.name.rpartition("-")[0] == workload.name
    )


def told(children: dict[Ref, Manifest], pod: str, mode: str) -> dict[Ref, Manifest]:
    """A pod with the word on it; one that was stopped before it is told nothing."""
    if (one := children.get(Ref(POD, pod))) is None:
        return children
    return children | {Ref(POD, pod): one | {"metadata": one["metadata"] | {"annotations": {names.TOLD: mode}}}}


def without(facts: Facts, *gone: Ref) -> Facts:
    """The same, without these children."""
    return replace(facts, children={one: kept for one, kept in facts.children.items() if one not in gone})


def applied(actions: Iterable[Action]) -> list[str]:
    """What is applied, by kind and name."""
    return [str(ref(one.manifest)) for one in actions if isinstance(one, Apply)]


def deleted(actions: Iterable[Action]) -> list[str]:
    """What is deleted, by kind and name."""
    return [str(one.ref) for one in actions if isinstance(one, Delete)]
