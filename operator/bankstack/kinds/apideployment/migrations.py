"""Jobs that run once per revision, before anything of that revision is started (pure)."""

from dataclasses import dataclass

from bankstack.engine.finding import WATCHED, Finding, Stalled
from bankstack.engine.objects import Manifest, Ref, annotation
from bankstack.kinds.apideployment import checks, components, names
from bankstack.kinds.apideployment.component import Component
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.names import Api


@dataclass(frozen=True)
class Step:
    """Where a revision stands: the job to make now, and why the others wait; neither once all are done."""

    wanted: Manifest | None = None
    finding: Finding | None = None


DONE = Step()


def step(api: Api, facts: Facts) -> Step:
    """The next thing to do. Status remembers what is done, so that a Job swept later is not run again."""
    revision = components.revision(api)
    if api.status.revision == revision:
        return DONE
    for component in api.spec.components:
        if component.job and (found := _one(api, component, facts, revision)) != DONE:
            return found
    return DONE


def current(api: Api) -> frozenset[Ref]:
    """Jobs of this revision: kept as evidence."""
    revision = components.revision(api)
    return frozenset(names.job(api, one.name, revision) for one in api.spec.components if one.job)


def is_newer(api: Api, live: Manifest) -> bool:
    """Whether a Job was asked for after this look at the resource: by another operator, and it may be running."""
    told = annotation(live, names.GENERATION) or ""
    return told.isdigit() and int(told) > api.generation


def _one(api: Api, component: Component, facts: Facts, revision: str) -> Step:
    ref = names.job(api, component.name, revision)
    live = facts.children.get(ref)
    before = "the former revision keeps running" if api.status.revision else "nothing else is started yet"
    if live is None:
        made = components.migration(api, component, facts, revision)
        return Step(made, Finding("Migrating", f"{ref} is started; {before}", WATCHED))
    conditions = {one["type"]: one for one in live.get("status", {}).get("conditions", []) if one["status"] == "True"}
    if "Complete" in conditions:
        return DONE
    if failed := conditions.get("Failed"):
        told = (
            f"{ref} has failed ({failed.get('reason', '')} {failed.get('message', '')[:200]}): {before}. Read the "
            f"logs of its pods; correct the image or environment of {component.name}, or delete the Job to run it again"
        )
        return Step(finding=Finding("MigrationFailed", told, Stalled()))
    why = checks.trouble(_pods(facts, ref))
    told = f"{ref} runs; {before}{f'. {why}' if why else ''}"
    return Step(finding=Finding("Migrating", told, WATCHED))


def _pods(facts: Facts, job: Ref) -> list[Manifest]:
    return [
        one
        for ref, one in sorted(facts.children.items())
        if ref.type.kind == "Pod" and one["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name") == job.name
    ]
