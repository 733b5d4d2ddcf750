"""Lists that are asked for at about the same time become one request.

A hundred resources that appear at once ask for their children in the same seconds: a
list for each type and each owner, and most of what the API server then does is to
list. Nothing is remembered, and no answer is older than its question: who asks while a
request is under way is answered by the next one, for only that began after the question.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import FieldValue, Manifest, Type

Values = tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """What can be asked for in one request: objects of a type in a namespace, by values of these labels.

    `without` those of that field's value.
    """

    of: Type
    namespace: str
    labels: tuple[str, ...]
    without: FieldValue | None = None

    def values(self, manifest: Manifest) -> Values:
        """What an object has there."""
        found = manifest["metadata"].get("labels", {})
        return tuple(found.get(label, "") for label in self.labels)


@dataclass
class _Round:
    """One request, and what it is to bring."""

    values: set[Values] = field(default_factory=set)
    found: tuple[Manifest, ...] | None = None
    failed: Interrupted | None = None


Ask = Callable[[Line, Collection[Values]], Awaitable[tuple[Manifest, ...]]]


class Together:
    """At most one request of a line at a time; `ask` sends it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._next: defaultdict[Line, _Round] = defaultdict(_Round)
        self._turns: defaultdict[Line, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def list(self, line: Line, values: Values) -> tuple[Manifest, ...]:
        """All objects of the line with these values. Raises Interrupted where the request of its round failed."""
        mine = self._next[line]
        mine.values.add(values)
        async with self._turns[line]:
            # Whoever comes first asks for all; where that one was cut off meanwhile, the next one does.
            if mine.found is None and mine.failed is None:
                await self._answer(line, mine)
        if mine.failed is not None:
            raise Interrupted(mine.failed.finding)
        return tuple(one for one in mine.found or () if line.values(one) == values)

    async def _answer(self, line: Line, round_: _Round) -> None:
        if self._next.get(line) is round_:
            del self._next[line]
        try:
            round_.found = await self._ask(line, sorted(round_.values))
        except Interrupted as failed:
            round_.failed = failed
