"""A receiver over an API server in memory, with one LndNode, the usual rule, and a clock that tests move."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry
from tests.simulation.apiserver import ApiServer, Key
from tests.simulation.cluster import SimulatedCluster
from tests.simulation.faults import Calls, Fault, Schedule, none
from tests.simulation.line import Line
from tests.unit.test_health import free_port

from bankstack.alerts import rules
from bankstack.alerts.maker import Maker
from bankstack.alerts.receiver import Receiver
from bankstack.alerts.rules import Known
from bankstack.alerts.settings import Settings, fingerprint
from bankstack.engine.conditions import stamp
from bankstack.engine.objects import CHANGE_PLAN, NAMESPACE, Manifest, Type
from bankstack.engine.operation import Risk

TOKEN = "correct horse battery"  # noqa: S105 - of a test
US = "system:serviceaccount:bankstack-system:bankstack-operator"
LND_NODE = Type("bankstack.io/v1alpha1", "LndNode", "lndnodes")
RISKS = {"Restart": Risk.AMBER, "Look": Risk.GREEN, "Replace": Risk.RED}
KNOWN = Known(lambda kind, operation: RISKS.get(operation) if kind == "LndNode" else None, ("bank", "other"))
BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def rule(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - of a rule
    usual = {
        "name": "database",
        "match": {"alertname": "LndDatabaseTooBig"},
        "target": {"kind": "LndNode", "nameLabel": "name", "namespaceLabel": "namespace"},
        "operation": "Restart",
    }
    return usual | more


def listed(*some: Mapping[str, Any]) -> tuple[rules.Rule, ...]:
    return rules.read({"rules": list(some)}, KNOWN)


def alert(since: datetime = BEGAN, *, status: str = "firing", **labels: str) -> dict[str, Any]:
    usual = {"alertname": "LndDatabaseTooBig", "namespace": "bank", "name": "lnd1"}
    return {
        "status": status,
        "labels": usual | labels,
        "annotations": {"summary": "the database has 9 GiB"},
        "startsAt": stamp(since),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": "0",
    }


def notification(*alerts: Mapping[str, Any]) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "receiver": "bankstack", "alerts": list(alerts)}


@dataclass
class Desk:
    """One API server, and as many replicas of the receiver as a test wants."""

    settings: Settings = field(default_factory=lambda: Settings(fingerprint(TOKEN.encode()), listed(rule())))
    schedule: Schedule = none
    now: datetime = BEGAN + timedelta(minutes=1)
    seconds: float = 0.0
    pace: float = 1000.0

    def __post_init__(self) -> None:
        self.server = ApiServer(lambda: self.now)
        self.cluster = SimulatedCluster(self.server, Line(Calls(self._befalls)))
        self.registry = CollectorRegistry()
        self.receiver = self.replica(self.registry)
        for namespace in (*KNOWN.namespaces, "elsewhere"):
            home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            self.server.create(Key(NAMESPACE, "", namespace), home, "kubectl")
            self.declares("lnd1", namespace)

    def _befalls(self, number: int, words: str) -> Fault | None:
        return self.schedule(number, words)

    def declares(self, name: str, namespace: str = "bank") -> None:
        head = {"apiVersion": LND_NODE.api_version, "kind": LND_NODE.kind}
        key = Key(LND_NODE, namespace, name)
        self.server.create(key, {**head, "metadata": {"name": name, "namespace": namespace}, "spec": {}}, "kubectl")

    def maker(self) -> Maker:
        return Maker(self.cluster, US, {"LndNode": LND_NODE}, lambda: self.now)

    def replica(self, registry: CollectorRegistry) -> Receiver:
        return Receiver(
            lambda: self.settings, self.maker(), KNOWN.namespaces, registry, clock=self._tick, now=lambda: self.now
        )

    def _tick(self) -> float:
        self.seconds += self.pace
        return self.seconds

    def later(self, **time: float) -> "Desk":
        self.now += timedelta(**time)
        return self

    def plans(self, namespace: str = "bank") -> dict[str, Manifest]:
        found = (key for key in self.server.all("ChangePlan") if key.namespace == namespace)
        return {key.name: self.server.get(key) or {} for key in found}

    def ends(self, name: str, state: str = "Succeeded") -> None:
        self.server.edit(
            Key(CHANGE_PLAN, "bank", name), lambda one: one.update(status={"state": state}), "bankstack", status=True
        )

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"bankstack_{name}", labels) or 0.0


@dataclass
class Door:
    """The receiver as Alertmanager sees it."""

    port: int
    session: aiohttp.ClientSession

    async def posts(self, body: Any, token: str | None = TOKEN, **headers: str) -> tuple[int, str]:  # noqa: ANN401 - JSON, or bytes as they are
        sent = {"Authorization": f"Bearer {token}"} if token is not None else {}
        content = {"data": body} if isinstance(body, bytes) else {"json": body}
        where = f"http://127.0.0.1:{self.port}/alerts"
        async with self.session.post(where, headers=sent | headers, **content) as response:
            return response.status, await response.text()


@asynccontextmanager
async def door(desk: Desk) -> AsyncIterator[Door]:
    port = free_port()
    async with desk.receiver.served(port), aiohttp.ClientSession() as session:
        yield Door(port, session)
