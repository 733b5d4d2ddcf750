"""A bank on one screen: every resource, and every plan that has not ended (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass

from bankstack.engine.objects import Manifest
from bankstack.plugin import plan as plans
from bankstack.plugin import standing, today
from bankstack.plugin.known import written
from bankstack.plugin.page import Cell, Page, Tone
from bankstack.plugin.plan import Plan


@dataclass(frozen=True)
class Resource:
    """One row."""

    kind: str
    name: str
    ready: str
    reason: str
    message: str
    state: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """A plan that has not ended."""

    name: str
    target: str
    operation: str
    risk: str
    state: str
    waits_for: str


@dataclass(frozen=True)
class Status:
    """All that is seen."""

    namespace: str
    resources: tuple[Resource, ...]
    plans: tuple[Waiting, ...]
    #: Where none is at work, that sentence.
    operator: str

    @property
    def is_well(self) -> bool:
        """Whether there is a bank, somebody at work, and all of it Ready."""
        return bool(self.resources) and not self.operator and all(one.ready == "True" for one in self.resources)


def read(namespace: str, resources: Iterable[Manifest], changes: Iterable[Manifest], silent: str = "") -> Status:
    """From what was read: resources in the order in which they are shown; `silent` where no operator is at work."""
    unfinished = [one for one in map(plans.read, plans.by_age(changes)) if not one.finished]
    return Status(namespace, tuple(map(_resource, resources)), tuple(map(_waiting, unfinished)), silent)


def _resource(manifest: Manifest) -> Resource:
    found, name = standing.read(manifest), manifest["metadata"]["name"]
    words = today.words(manifest, found)
    return Resource(manifest["kind"], name, found.ready, found.reason, found.message, words)


def _waiting(plan: Plan) -> Waiting:
    state = f"{plan.state}, dry run" if plan.dry_run else plan.state
    target = written(plan.target_kind, plan.target)
    return Waiting(plan.name, target, plan.operation, plan.risk or "-", state, plan.waits_for)


def lines(status: Status, page: Page) -> list[str]:
    """The screen."""
    if not status.resources and not status.plans:
        where = status.namespace
        return page.paragraph(f"There is no bank in namespace {where}: name its namespace with -n.")
    silent = [*page.paragraph(status.operator, tone=Tone.BAD), ""] if status.operator else []
    return [*silent, *_resources(status, page), *_troubles(status, page), *_plans(status, page)]


def _resources(status: Status, page: Page) -> list[str]:
    rows = [
        (
            Cell(one.kind),
            Cell(one.name),
            Cell(one.ready, _tone(one.ready)),
            Cell(one.reason),
            Cell(", ".join(one.state)),
        )
        for one in status.resources
    ]
    return page.table(("KIND", "NAME", "READY", "REASON", "TODAY"), rows)


def _troubles(status: Status, page: Page) -> list[str]:
    """What is wrong, in the operator's own words, and where to read all of it."""
    return [line for one in status.resources if one.ready != "True" for line in _trouble(one, status.namespace, page)]


def _trouble(one: Resource, namespace: str, page: Page) -> list[str]:
    more = f"kubectl bank explain {written(one.kind, one.name)} -n {namespace}"
    title = page.line(f"{one.kind} {one.name} is not Ready: {one.reason}", _tone(one.ready))
    return ["", title, *page.paragraph(one.message, "  "), page.command(more)]


def _plans(status: Status, page: Page) -> list[str]:
    rows = [
        (Cell(one.name), Cell(one.target), Cell(one.operation), Cell(one.risk), Cell(one.state, Tone.WAITS),
         Cell(one.waits_for))
        for one in status.plans
    ]  # fmt: skip
    return ["", *page.table(("PLAN", "TARGET", "OPERATION", "RISK", "STATE", "WAITS FOR"), rows)] if rows else []


def _tone(ready: str) -> Tone:
    return {"True": Tone.GOOD, "False": Tone.BAD}.get(ready, Tone.WAITS)
