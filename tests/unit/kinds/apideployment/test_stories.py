"""The whole kind over a simulated API server: what is read, what is written, and that it comes to rest."""

import json

import pytest
from tests.simulation import neighbours
from tests.simulation.apiserver import ApiServer, Key
from tests.simulation.cluster import SimulatedCluster
from tests.simulation.faults import Calls, Fault, always
from tests.simulation.line import Line
from tests.unit.kinds.apideployment.given import MASTER, NOW, REPLICA, SPEC, VIEW

from bankstack.clients.redis import Account, Member, View
from bankstack.engine import declared, manifests
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Interrupted, Unknown
from bankstack.engine.objects import CONFIG_MAP, DEPLOYMENT, JOB, POD, SECRET, STATEFUL_SET, Manifest, Ref, Type
from bankstack.engine.reconcile import Outcome, reconcile
from bankstack.kinds.apideployment import endpoint, names
from bankstack.kinds.apideployment.kind import gauges, kind, references
from bankstack.kinds.apideployment.model import RESOURCE, ApiDeploymentSpec
from bankstack.kinds.apideployment.observe import Doors

API = Type("bankstack.io/v1alpha1", RESOURCE.kind, RESOURCE.plural)
PLANTED = b"planted-7f3a-secret"


class Redis:
    """Three members that run once their pods do, and what they were asked with."""

    def __init__(self) -> None:
        self.accounts: set[Account] = set()
        #: Of Redis' default user: what it is started with.
        self.known = ""

    async def member(self, account: Account) -> Member | Unknown:
        self.accounts.add(account)
        return MASTER if account.host.startswith("bank-redis-0") else REPLICA

    async def admits(self, account: Account) -> bool | Unknown:
        self.known = self.known or account.password
        return account.password == self.known

    async def sentinel(self, account: Account, master: str) -> View | Unknown:
        self.accounts.add(account)
        assert master == "mymaster"
        return VIEW


class Bank:
    """A namespace with everything that an ApiDeployment needs, and its operator."""

    def __init__(self) -> None:
        self.server = ApiServer(lambda: NOW)
        neighbours.namespace(self.server, "bank")
        self.redis = Redis()
        self.cluster = SimulatedCluster(self.server)
        self.kind = kind(Doors(self.redis.member, self.redis.sentinel, self.redis.admits))
        self.user_makes(_named(API, "bank", spec=SPEC))
        self.user_makes(_named(names.LEDGER_CLUSTER, "ledger", spec=_LEDGER, status=_said("Writable") | _ENDPOINT))
        for node in ("lnd1", "lnd2"):
            status = _said("Ready", "Synced") | {"state": "SERVER_ACTIVE"}
            self.user_makes(_named(names.LND_NODE, node, spec={"network": "regtest"}, status=status))
            self.user_makes(_secret(f"{node}-api", pubkey=b"02", macaroon=PLANTED))
        vault = _named(names.COLD_WALLET, "vault", spec={"network": "regtest"}, status=_said("ChainReady"))
        self.user_makes(vault)
        self.user_makes(_secret("ledger-api", password=PLANTED, uri=PLANTED))

    def key(self, of: Type, name: str) -> Key:
        return Key(of, "bank", name)

    def user_makes(self, manifest: Manifest) -> None:
        of = Type(manifest["apiVersion"], manifest["kind"], _PLURALS.get(manifest["kind"], ""))
        of = SECRET if manifest["kind"] == "Secret" else of
        self.server.create(self.key(of, str(manifest["metadata"]["name"])), manifest, "kubectl")
        if "status" in manifest:
            self.status(of, str(manifest["metadata"]["name"]), manifest["status"])

    async def look(self) -> Outcome:
        return await reconcile(self.kind, "bank", "bank", self.cluster, lambda: NOW)

    def pods_start(self) -> None:
        for number in range(3):
            labels = {"bankstack.io/owner": "ApiDeployment.bank", "app.kubernetes.io/name": "redis"}
            meta = {"name": f"bank-redis-{number}", "namespace": "bank", "labels": labels}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}}
            self.server.create(self.key(POD, f"bank-redis-{number}"), pod, "kubelet")
            self.status(POD, f"bank-redis-{number}", {"podIP": "10.0.0.9", "phase": "Running"})

    def status(self, of: Type, name: str, status: Manifest) -> None:
        def write(live: Manifest) -> None:
            live["status"] = status

        self.server.edit(self.key(of, name), write, "controller", status=True)

    @property
    def told(self) -> Manifest:
        found = self.server.get(self.key(API, "bank"))
        assert found is not None
        return dict(found["status"])

    def exists(self, ref: Ref) -> bool:
        return self.server.get(self.key(ref.type, ref.name)) is not None


_PLURALS = {one.kind: one.plural for one in (API, names.LEDGER_CLUSTER, names.LND_NODE, names.COLD_WALLET)}
_LEDGER = {"databases": [{"name": "galoy", "users": [{"name": "api", "secret": "ledger-api"}]}]}
_ENDPOINT: Manifest = {"endpoint": {"hosts": ["ledger-0:27017"], "replicaSet": "ledger", "tls": False}}


def _named(of: Type, name: str, **parts: Manifest) -> Manifest:
    meta = {"name": name, "namespace": "bank"}
    return {"apiVersion": of.api_version, "kind": of.kind, "metadata": meta, **parts}


def _secret(name: str, **files: bytes) -> Manifest:
    return manifests.secret({"name": name, "namespace": "bank"}, files)


def _said(*kinds: str) -> Manifest:
    return {"conditions": [{"type": one, "status": "True", "reason": "Well", "message": ""} for one in kinds]}


async def _started() -> Bank:
    bank = Bank()
    await bank.look()
    bank.pods_start()
    await bank.look()
    (job,) = bank.server.all("Job")
    bank.status(JOB, job.name, {"conditions": [{"type": "Complete", "status": "True"}]})
    await bank.look()
    return bank


async def test_one_resource_becomes_redis_a_migration_and_the_programs_in_this_order() -> None:
    bank = Bank()
    await bank.look()
    assert bank.exists(Ref(STATEFUL_SET, "bank-redis"))
    assert not bank.server.all("Job")
    bank.pods_start()
    await bank.look()
    (job,) = bank.server.all("Job")
    assert not bank.server.all("Deployment")
    bank.status(JOB, job.name, {"conditions": [{"type": "Complete", "status": "True"}]})
    await bank.look()
    assert bank.exists(Ref(DEPLOYMENT, "bank-api"))
    assert bank.told["mode"] == "Full"
    assert {account.username for account in bank.redis.accounts} == {"operator"}
    assert bank.redis.known


async def test_at_rest_nothing_is_written() -> None:
    bank = await _started()
    await bank.look()
    written = len(bank.server.written)
    await bank.look()
    assert bank.server.written[written:] == []


@pytest.mark.parametrize("lost", ["bank-redis", "bank-redis-api", "bank-redis-inner"])
async def test_a_deleted_secret_of_redis_comes_back_as_it_was(lost: str) -> None:
    bank = await _started()
    before = {one.name: bank.server.objects[one].manifest["data"] for one in bank.server.all("Secret")}
    bank.server.delete(bank.key(SECRET, lost))
    await bank.look()
    assert {one.name: bank.server.objects[one].manifest["data"] for one in bank.server.all("Secret")} == before


async def test_a_password_that_is_lost_everywhere_rolls_nothing_that_could_not_log_in() -> None:
    bank = await _started()
    before = bank.server.objects[bank.key(DEPLOYMENT, "bank-api")]
    for lost in ("bank-redis", "bank-redis-api"):
        bank.server.delete(bank.key(SECRET, lost))
    for _ in range(2):
        await bank.look()
    ready = next(one for one in bank.told["conditions"] if one["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "RedisPasswordUnknown")
    assert "bank-redis-0, bank-redis-1, bank-redis-2 of Redis" in ready["message"]
    assert bank.server.objects[bank.key(DEPLOYMENT, "bank-api")] == before


async def test_a_secret_that_another_makes_at_the_same_moment_is_read_not_argued_with() -> None:
    bank = Bank()
    bank.server.create(bank.key(SECRET, "bank-redis-api"), _theirs("bank-redis-api", password=PLANTED), "another")
    subject = declared.read(RESOURCE, bank.server.objects[bank.key(API, "bank")].manifest)
    stale = SimulatedCluster(bank.server)
    stale.get = _nothing  # type: ignore[assignment,method-assign]
    with pytest.raises(Interrupted):
        await bank.kind.act["MendRedisAccounts"](subject, Ask("MendRedisAccounts", "Incomplete"), stale)
    assert not bank.exists(Ref(SECRET, "bank-redis"))


async def _nothing(_ref: Ref, _namespace: str) -> None:
    return None


def _theirs(name: str, **files: bytes) -> Manifest:
    meta = {"name": name, "namespace": "bank", "labels": {"bankstack.io/owner": "ApiDeployment.bank"}}
    return manifests.secret(meta, files)


async def test_a_password_edited_by_hand_is_put_back() -> None:
    bank = await _started()
    key = bank.key(SECRET, "bank-redis-api")
    before = bank.server.objects[key].manifest["data"]

    def edit(live: Manifest) -> None:
        live["data"] = {"password": "bWluZQ=="}

    bank.server.edit(key, edit, "kubectl")
    await bank.look()
    assert bank.server.objects[key].manifest["data"] == before


async def test_somebody_else_s_secret_of_that_name_is_left_alone() -> None:
    bank = Bank()
    bank.user_makes(_secret("bank-redis", mine=b"theirs"))
    await bank.look()
    assert manifests.opened(bank.server.objects[bank.key(SECRET, "bank-redis")].manifest) == {"mine": b"theirs"}
    assert next(one for one in bank.told["conditions"] if one["type"] == "Ready")["reason"] == "NameTaken"


async def test_pods_hear_of_a_new_mode_and_only_living_ones() -> None:
    bank = await _started()
    labels = {"bankstack.io/owner": "ApiDeployment.bank", "app.kubernetes.io/name": "api"}
    for name, phase in (("bank-api-x", "Running"), ("bank-api-y", "Succeeded")):
        meta = {"name": name, "namespace": "bank", "labels": labels}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {}}
        bank.server.create(bank.key(POD, name), pod, "kubelet")
        bank.status(POD, name, {"phase": phase})
    for node in ("lnd1", "lnd2"):
        bank.server.delete(bank.key(names.LND_NODE, node))
    await bank.look()
    told = {
        one.name: bank.server.objects[one].manifest["metadata"].get("annotations", {}).get(names.TOLD)
        for one in bank.server.all("Pod")
        if "api" in one.name
    }
    assert told == {"bank-api-x": "IntraledgerOnly", "bank-api-y": None}


async def test_a_pod_that_went_meanwhile_is_not_touched_and_never_made() -> None:
    bank = await _started()
    subject = declared.read(RESOURCE, bank.server.objects[bank.key(API, "bank")].manifest)
    written = len(bank.server.written)
    words = {"pods": "bank-redis-0/of-a-former-life bank-api-gone/gone", "mode": "Full"}
    await bank.kind.act["TellPods"](subject, Ask("TellPods", "Full", words), bank.cluster)
    assert bank.server.written[written:] == []


async def test_a_ledger_run_by_others_is_used_with_the_secret_that_the_api_names() -> None:
    bank = Bank()

    def elsewhere(live: Manifest) -> None:
        live["spec"] = {"external": {"uriSecret": "watch"}}

    def named(live: Manifest) -> None:
        live["spec"]["ledger"]["secret"] = "mine"  # noqa: S105 - a name

    bank.server.edit(bank.key(names.LEDGER_CLUSTER, "ledger"), elsewhere, "kubectl")
    bank.pods_start()
    await bank.look()
    assert "set ledger.secret" in next(one for one in bank.told["conditions"] if one["type"] == "Ready")["message"]
    bank.user_makes(_secret("mine", password=PLANTED, uri=PLANTED))
    bank.server.edit(bank.key(API, "bank"), named, "kubectl")
    await bank.look()
    assert len(bank.server.all("Job")) == 1


async def test_no_secret_leaves_its_secret() -> None:
    bank = await _started()
    kept = [bank.server.objects[one].manifest for one in bank.server.all("Secret")]
    contents = {value for secret in kept for value in manifests.opened(secret).values() if len(value) > 12}
    assert PLANTED in contents
    everything = repr([bank.server.objects[one].manifest for one in bank.server.all() if one.type != SECRET])
    assert not [one for one in contents if one.decode() in everything]


async def test_numbers_that_nobody_acts_on_are_gauges() -> None:
    bank = await _started()
    outcome = await bank.look()
    found = dict(outcome.gauges)
    assert found["bankstack_apideployment_redis_members"] == 3
    assert found["bankstack_apideployment_redis_has_master"] == 1
    assert gauges.__doc__


def test_it_is_woken_by_all_that_it_waits_for() -> None:
    spec = ApiDeploymentSpec.model_validate(
        SPEC
        | {
            "components": [
                {
                    "name": "api",
                    "image": "a",
                    "envFrom": [{"secretRef": {"name": "s"}}, {"configMapRef": {"name": "c"}}],
                }
            ]
        }
    )
    assert {str(one) for one in references(spec)} == {
        "LedgerCluster ledger", "LndNode lnd1", "LndNode lnd2", "ColdWallet vault", "Secret lnd1-api",
        "Secret lnd2-api", "Secret s", "ConfigMap c",
    }  # fmt: skip


async def test_the_mode_is_told_over_http_of_this_operator_s_banks_and_of_nothing_else() -> None:
    bank = await _started()
    ask = endpoint.page(bank.cluster, ("bank",))
    code, said = await ask({"namespace": "bank", "name": "bank"})
    assert (code, json.loads(said)) == (200, {"mode": "Full", "reasons": [], "avoid": []})
    assert (await ask({"namespace": "other", "name": "bank"}))[0] == 404
    assert (await ask({"namespace": "bank", "name": "nobody"}))[0] == 404
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x-mode"}, "data": {"mode.json": "theirs"}}
    bank.server.create(bank.key(CONFIG_MAP, "x-mode"), foreign, "kubectl")
    assert (await ask({"namespace": "bank", "name": "x"}))[0] == 404
    silent = SimulatedCluster(bank.server, Line(Calls(always("get", Fault(0)))))
    assert (await endpoint.page(silent, ("bank",))({"namespace": "bank", "name": "bank"}))[0] == 503
