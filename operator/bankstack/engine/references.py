"""Who waits for what: which resources a change of an object wakes (pure).

Rebuilt from each resource whenever it is looked at; lost with the process, it is
rebuilt by the first listing. Being woken for nothing costs one look, never a mistake.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, Key, Type
from bankstack.engine.ports import Kind

#: An object by API type, namespace and name.
Place = tuple[Type, str, str]


class References:
    """Both directions of the relation, kept in step."""

    def __init__(self) -> None:
        self._places: dict[Key, frozenset[Place]] = {}
        self._dependents: defaultdict[Place, set[Key]] = defaultdict(set)
        #: What each took from the objects that it waits for, when it last looked at them.
        self._took: dict[Key, Mapping[Place, object]] = {}

    def depends(self, key: Key, places: Iterable[Place]) -> None:
        """`key` waits for exactly these from now on."""
        now = frozenset(places)
        before = self._places.pop(key, frozenset())
        if now:
            self._places[key] = now
        for place in before - now:
            self._dependents[place].discard(key)
            if not self._dependents[place]:
                del self._dependents[place]
        for place in now - before:
            self._dependents[place].add(key)

    def took(self, key: Key, learned: Mapping[Place, object]) -> None:
        """What `key` took from these objects as it read them. Of a look that failed or is under way: nothing."""
        if learned:
            self._took[key] = learned
        else:
            self._took.pop(key, None)

    def dependents(self, place: Place, learns: Callable[[Key], object] = lambda _key: None) -> frozenset[Key]:
        """Who is to be woken by a change of this object: whoever takes from it now what it did not at its last look.

        `learns` says what that is; None where there is nothing to compare, and it is woken. Who is
        not woken here is looked at as late as its own clock says.
        """
        return frozenset(key for key in self._dependents.get(place, ()) if self._is_news(key, place, learns(key)))

    def _is_news(self, key: Key, place: Place, learned: object) -> bool:
        return learned is None or learned != self._took.get(key, {}).get(place)


def meant(of: Type, name: str, body: Mapping[str, Any], kinds: Iterable[Kind]) -> tuple[Type, str, tuple[str, ...]]:
    """What an event about an object is really about, and whom to wake (Kind.name).

    A plan is looked at with its target, and an approval with its plan: whoever refers to
    that plan is then woken. A resource of one of the `kinds` is heard by whom its row names.
    """
    spec = body.get("spec") or {}
    if of == PLAN_APPROVAL:
        return CHANGE_PLAN, str(spec.get("plan", "")), ()
    if of == CHANGE_PLAN:
        target = spec.get("target") or {}
        return of, name, (f"{target.get('kind', '')}.{target.get('name', '')}",)
    status = body.get("status") or {}
    return of, name, next((kind.heard_by(status) for kind in kinds if kind.type == of), ())
