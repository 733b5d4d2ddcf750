"""The only writer: carries out a decision's actions, in order, up to the first that fails.

It decides nothing. What cannot be undone is looked at once more directly before, and
everything it does is one word of the API or one of the kind's own actions, each of
which may be repeated after a crash.
"""

from collections.abc import Iterable

from bankstack.engine import frozen
from bankstack.engine.decision import MISSING, Action, Apply, Ask, Delete
from bankstack.engine.finding import Finding, Interrupted, Stalled
from bankstack.engine.objects import OWNER_LABEL, Manifest, annotation, ref
from bankstack.engine.ports import Cluster, Kind, Subject


async def execute(kind: Kind, subject: Subject, actions: Iterable[Action], cluster: Cluster) -> tuple[Action, ...]:
    """The actions that were carried out: all of them, or Interrupted is raised by one."""
    done: list[Action] = []
    for action in actions:
        await _carry_out(kind, subject, action, cluster)
        done.append(action)
    return tuple(done)


async def _carry_out(kind: Kind, subject: Subject, action: Action, cluster: Cluster) -> None:
    match action:
        case Apply():
            await _apply(subject, action, cluster)
        case Delete(ref=target, uid=uid):
            await cluster.delete(target, subject.namespace, uid)
        case Ask(action=name):
            await kind.act[name](subject, action, cluster)


async def _apply(subject: Subject, action: Apply, cluster: Cluster) -> None:
    # The API server itself sees to it that nothing is there: no look before, and no moment in between.
    if action.reason == MISSING and await cluster.apply_new(action.manifest, subject.namespace) is not None:
        return
    # Read again: between the look and this line somebody may have made an object of
    # this name, and a forced apply would take it over.
    live = await cluster.get(ref(action.manifest), subject.namespace)
    if live is not None and not is_ours(live, subject):
        raise Interrupted(foreign(live))
    await cluster.apply(_as_it_runs(action, live), subject.namespace)


def _as_it_runs(action: Apply, live: Manifest | None) -> Manifest:
    """What was taken for missing and is there, was looked at too early or lost its label: it keeps its template."""
    if action.reason != MISSING or live is None or annotation(live, frozen.TEMPLATE) is None:
        return action.manifest
    return frozen.hold(action.manifest, live)


def is_ours(live: Manifest, subject: Subject) -> bool:
    """Whether an object was made for this resource: in this life by its controller, in any by the owner label.

    The controller is asked first, for a label can be changed by hand and is then put right.
    """
    labels = live["metadata"].get("labels", {})
    owners = [owner["uid"] for owner in live["metadata"].get("ownerReferences", []) if owner.get("controller")]
    return owners == [subject.uid] or (not owners and labels.get(OWNER_LABEL) == subject.owner)


def foreign(live: Manifest) -> Finding:
    """Somebody else's object stands where one of ours has to be."""
    where = ref(live)
    return Finding(
        "NameTaken",
        f"{where} exists and was not made for this resource: it is left alone, and nothing that needs its name "
        "can run. Rename or remove it, or choose another name for this resource",
        Stalled(),
    )
