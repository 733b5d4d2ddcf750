"""What the operator measures, in one registry of its own.

Names and labels are a contract with dashboards and alerts. Numbers of resources are
kept as they were last seen and made into series only when somebody asks, so a
resource that is gone leaves no series behind.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bankstack.engine.objects import Key

RECONCILE_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TRUTH: Final = {"True": 1, "False": 0}
LAG_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)


@dataclass(frozen=True)
class Seen:
    """What the last pass over a resource left to tell."""

    conditions: tuple[tuple[str, str], ...] = ()
    gauges: Mapping[str, float] = field(default_factory=dict)
    #: When the oldest plan was made that waits for people.
    asked: float | None = None


class Metrics:
    """All series of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seen: dict[Key, Seen] = {}
        self._reconciles = Histogram(
            "bankstack_reconcile_seconds",
            "Seconds of one pass over a resource, by how it ended.",
            ("kind", "result"),
            buckets=RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._calls = Counter(
            "bankstack_api_requests",
            "Calls of the Kubernetes API; code is none where no answer came.",
            ("verb", "kind", "code"),
            registry=self.registry,
        )
        self._lag = Histogram(
            "bankstack_loop_lag_seconds",
            "Seconds that a due thing had to wait for the event loop.",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self._crashes = Counter(
            "bankstack_crashes",
            "Passes that ended in an error nobody foresaw: each is a defect.",
            ("kind",),
            registry=self.registry,
        )
        self.registry.register(_Resources(self._seen))
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def expect(self, kinds: Iterable[str]) -> None:
        """Kinds whose defects are counted from zero: a series that begins with one has risen in nobody's eyes."""
        for kind in kinds:
            self._crashes.labels(kind)

    def watch_depth(self, depth: Callable[[], int]) -> None:
        """How many keys wait for a worker, asked whenever somebody reads."""
        gauge = Gauge("bankstack_queue_depth", "Resources that wait for a worker.", registry=self.registry)
        gauge.set_function(depth)

    def reconciled(self, key: Key, result: str, seconds: float) -> None:
        """A pass ended."""
        self._reconciles.labels(key.kind, result).observe(seconds)

    def called(self, verb: str, kind: str, code: int | None) -> None:
        """The API server answered, or did not (None)."""
        self._calls.labels(verb, kind, "none" if code is None else str(code)).inc()

    def lagged(self, seconds: float) -> None:
        """A tick came late by this much."""
        self._lag.observe(seconds)

    def crashed(self, key: Key) -> None:
        """A pass ended in an error nobody foresaw."""
        self._crashes.labels(key.kind).inc()

    def saw(self, key: Key, seen: Seen) -> None:
        """What is true of a resource now."""
        self._seen[key] = seen

    def forget(self, key: Key) -> None:
        """The resource is gone, and its series with it."""
        self._seen.pop(key, None)


@dataclass(frozen=True, eq=False)
class _Resources(Collector):
    seen: Mapping[Key, Seen]

    def collect(self) -> Iterator[Metric]:
        yield self._conditions()
        yield self._each_condition()
        yield self._asked()
        yield from self._gauges()

    def _conditions(self) -> Metric:
        family = GaugeMetricFamily(
            "bankstack_resources", "Resources by condition and its status.", labels=("kind", "condition", "status")
        )
        tally = Tally((key.kind, *condition) for key, seen in self.seen.items() for condition in seen.conditions)
        for labels, number in sorted(tally.items()):
            family.add_metric(labels, number)
        return family

    def _each_condition(self) -> Metric:
        family = GaugeMetricFamily(
            "bankstack_condition",
            "A condition of a resource: 1 True, 0 False, -1 Unknown.",
            labels=("kind", "namespace", "name", "condition"),
        )
        for key, seen in sorted(self.seen.items()):
            for condition, status in seen.conditions:
                family.add_metric((key.kind, key.namespace, key.name, condition), _TRUTH.get(status, -1))
        return family

    def _asked(self) -> Metric:
        family = GaugeMetricFamily(
            "bankstack_plan_asked_timestamp_seconds",
            "When the oldest plan for a resource was made that waits for people to approve it.",
            labels=("kind", "namespace", "name"),
        )
        for key, seen in sorted(self.seen.items()):
            if seen.asked is not None:
                family.add_metric((key.kind, key.namespace, key.name), seen.asked)
        return family

    def _gauges(self) -> Iterable[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for key, seen in sorted(self.seen.items()):
            for name, value in seen.gauges.items():
                family = families.setdefault(
                    name, GaugeMetricFamily(name, f"Of each {key.kind}.", labels=("namespace", "name"))
                )
                family.add_metric((key.namespace, key.name), value)
        return families.values()
