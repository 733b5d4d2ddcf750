"""What each command reads and writes: the only part of this room that does.

A write is of one object, in the person's own name, and its answer is shown.
"""

import asyncio
from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, Manifest, Ref, Type
from bankstack.plans import journal
from bankstack.plugin import approving, at_work, explain, log, made, plan, status
from bankstack.plugin.access import Refused
from bankstack.plugin.known import BANK, PLAN, Usage, named
from bankstack.plugin.page import Page, Tone

#: How often a plan that was just made is looked at before it is shown, and seconds between.
LOOKS: Final = 20
PAUSE: Final = 0.25


class Cluster(Protocol):
    """What `access` offers."""

    async def get(self, one: Ref, namespace: str) -> Manifest | None:
        """The object, or None."""

    async def list(self, of: Type, namespace: str) -> tuple[Manifest, ...]:
        """All of a namespace."""

    async def create(self, of: Type, manifest: Manifest, namespace: str) -> Manifest:
        """Make it."""

    async def change(self, one: Ref, namespace: str, what: Mapping[str, object]) -> Manifest:
        """A merge patch."""

    async def whoami(self) -> str:
        """The person's own name."""


class Person(Protocol):
    """Whoever sits there, if anybody does."""

    def is_there(self) -> bool:
        """Whether there is a terminal."""

    def answers(self, question: str) -> str:
        """What they type."""

    def reads(self, lines: list[str]) -> None:
        """Show them something before they are asked."""


@dataclass(frozen=True)
class Round:
    """One command, once."""

    asked: Namespace
    cluster: Cluster
    namespace: str
    person: Person
    page: Page
    now: datetime


@dataclass(frozen=True)
class Answer:
    """What is printed: `view` with -o json, `lines` else."""

    view: object
    lines: list[str]
    code: int = 0


async def _status(at: Round) -> Answer:
    """The bank on one screen."""
    of_each = asyncio.gather(*(at.cluster.list(known.type, at.namespace) for known in BANK))
    resources, changes, silent = await asyncio.gather(of_each, at.cluster.list(CHANGE_PLAN, at.namespace), _silence(at))
    seen = status.read(at.namespace, (one for some in resources for one in some), changes, silent)
    return Answer(seen, status.lines(seen, at.page), 0 if seen.is_well else 1)


async def _explain(at: Round) -> Answer:
    """Why it is not as it should be."""
    known, one = named(at.asked.resource)
    if known is PLAN:
        return await _explain_plan(at, one.name)
    manifest, changes, silent = await asyncio.gather(
        at.cluster.get(one, at.namespace), at.cluster.list(CHANGE_PLAN, at.namespace), _silence(at)
    )
    if manifest is None:
        raise Refused(_absent(one, at.namespace))
    told = explain.read(known, manifest, changes, silent)
    return Answer(told, explain.lines(told, at.page), 0 if told.is_well else 1)


async def _silence(at: Round) -> str:
    """The sentence where no operator is at work; nothing where that cannot be told."""
    try:
        return at_work.silence(await at.cluster.get(at_work.REF, at_work.SYSTEM), at.now)
    except Refused:
        return ""


async def _explain_plan(at: Round, name: str) -> Answer:
    found = await _whole(at, name)
    return Answer(found, plan.explained(found, at.page), 1 if found.state in plan.BAD_ENDS else 0)


async def _show(at: Round) -> Answer:
    """Everything about a plan."""
    found = await _whole(at, at.asked.name)
    return Answer(found, plan.shown(found, at.page))


async def _create(at: Round) -> Answer:
    """Ask for an operation."""
    asked = at.asked
    wish = made.Wish(
        target=asked.target,
        operation=asked.operation,
        reason=asked.reason or _reason(at.person),
        not_after=asked.not_after,
        name=asked.name,
        parameters=made.parameters(asked.parameter),
        dry_run=asked.dry_run,
        ignore_windows=asked.ignore_windows,
    )
    made.plan(wish, "nobody", at.now)  # a mistake in it is told before anybody is asked
    manifest = made.plan(wish, await at.cluster.whoami(), at.now)
    there = await at.cluster.create(CHANGE_PLAN, manifest, at.namespace)
    found = plan.read(await _looked_at(at, there))
    title = at.page.line(f"ChangePlan {found.name} was made.", Tone.GOOD)
    return Answer(found, [title, "", *plan.shown(found, at.page), *plan.what_to_do(found, at.page)])


def _reason(person: Person) -> str:
    typed = person.answers("Why? Those who approve and the journal have to know: ") if person.is_there() else ""
    if not typed.strip():
        raise Usage("--reason is missing: those who approve, and the journal, have to know why")
    return typed.strip()


async def _looked_at(at: Round, there: Manifest) -> Manifest:
    """The plan as the operator draws it up, if that is soon."""
    for _ in range(LOOKS):
        found = await at.cluster.get(Ref(CHANGE_PLAN, there["metadata"]["name"]), at.namespace)
        if found is None or (found.get("status") or {}).get("state"):
            return found or there
        await asyncio.sleep(PAUSE)
    return there


async def _approve(at: Round) -> Answer:
    """Agree to a plan as it was shown."""
    me, before = await asyncio.gather(at.cluster.whoami(), _whole(at, at.asked.name))
    if told := approving.objection(before, me):
        raise Refused(told)
    if at.asked.hash and not approving.is_named(before, at.asked.hash):
        raise Refused(approving.another(before, at.asked.hash))
    if not (at.asked.hash or at.asked.yes):
        _confirm(at, before, me)
        if told := approving.moved_on(before, await _whole(at, before.name), me):
            raise Refused(told)
    return await _approved(at, before, me)


def _confirm(at: Round, shown: plan.Plan, me: str) -> None:
    """Shown and asked; anything but a yes is a no."""
    if not at.person.is_there():
        raise Usage("nobody is at a terminal to read the plan: name what was read with --hash, or say --yes")
    at.person.reads(plan.shown(shown, at.page))
    asked = f"Approve {shown.hash[: plan.SHORT]} as {me}? [y/N] "
    if at.person.answers(asked).strip().lower() not in ("y", "yes"):
        raise Refused("nothing was approved")


async def _approved(at: Round, shown: plan.Plan, me: str) -> Answer:
    manifest = made.approval(shown.name, shown.hash, me)
    one = Ref(PLAN_APPROVAL, manifest["metadata"]["name"])
    if found := await at.cluster.get(one, at.namespace):
        return Answer(found, [at.page.line(f"You ({me}) have approved {shown.name} already: {one}.")])
    there = await at.cluster.create(PLAN_APPROVAL, manifest, at.namespace)
    told = f"You ({me}) approved {shown.operation} of {shown.target_kind} {shown.target}: {one}."
    back = at.page.command(f"kubectl -n {at.namespace} delete planapproval {one.name}")
    return Answer(there, [at.page.line(told, Tone.GOOD), "To take it back before it begins:", back])


async def _cancel(at: Round) -> Answer:
    """End a plan."""
    one = Ref(CHANGE_PLAN, at.asked.name)
    before = await _whole(at, one.name)
    if before.finished:
        raise Refused(f"{one} has ended already ({before.state}): there is nothing to cancel. {before.message}")
    there = await at.cluster.change(one, at.namespace, {"spec": {"cancelled": True}})
    step = f" It is in step {before.step}, and ends where that one may be left." if before.state == "Running" else ""
    return Answer(there, at.page.paragraph(f"{one} is cancelled.{step}"))


async def _log(at: Round) -> Answer:
    """Every plan that ended."""
    kept, plans = await asyncio.gather(
        at.cluster.get(journal.REF, at.namespace), at.cluster.list(CHANGE_PLAN, at.namespace)
    )
    found = log.read(at.namespace, kept, plans)
    return Answer(found, log.lines(found, at.page), 0 if found.is_whole else 1)


async def _whole(at: Round, name: str) -> plan.Plan:
    """A plan with its approvals. Raises Refused."""
    one = Ref(CHANGE_PLAN, name)
    manifest, approvals = await asyncio.gather(
        at.cluster.get(one, at.namespace), at.cluster.list(PLAN_APPROVAL, at.namespace)
    )
    if manifest is None:
        raise Refused(_absent(one, at.namespace))
    return plan.read(manifest, approvals)


def _absent(one: Ref, namespace: str) -> str:
    return f"there is no {one} in namespace {namespace}: `kubectl bank status` has what there is; another one with -n"


Command = Callable[[Round], Awaitable[Answer]]
COMMANDS: Final[Mapping[str, Command]] = {
    "status": _status,
    "explain": _explain,
    "plan create": _create,
    "plan show": _show,
    "plan approve": _approve,
    "plan cancel": _cancel,
    "plan log": _log,
}
