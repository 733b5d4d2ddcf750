"""What has to be there before watching makes sense: the CRDs, and the right to list in each namespace.

kopf looks for a type once, when it starts; one whose CRD comes later it would never
see. And a Role that is missing would be an operator that looks well and does nothing.
So both are asked for until they are there, each absence is told once, and until then
the process is not ready.
"""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final, Protocol

from bankstack.edge.watches import watched
from bankstack.engine.finding import Interrupted
from bankstack.engine.loop import Loop
from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, Type

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 3.0


class Register(Protocol):
    """The two questions, asked of the API server. Both raise Interrupted where the answer is no or does not come."""

    async def served(self, api_version: str) -> frozenset[str]:
        """Plural names of the types it serves of this group and version."""

    async def names(self, of: Type, namespace: str, labels: str, most: int) -> tuple[str, ...]:
        """Names of objects with these labels, so many at most (0: all)."""


class RollCall:
    """Asks until everything is there; `missing` is what is not, in a sentence."""

    def __init__(self, loop: Loop, register: Register, namespaces: Iterable[str]) -> None:
        self._loop = loop
        self._register = register
        self._namespaces = tuple(namespaces)
        self.missing: str | None = "what there is has not been listed yet"

    async def definitions(self) -> None:
        """Return once every declared kind has its CRD."""
        declared = (*(kind.type for kind in self._loop.kinds), CHANGE_PLAN, PLAN_APPROVAL)
        wanted = {of.plural: of.api_version for of in declared}
        while True:
            try:
                served = [await self._register.served(version) for version in sorted(set(wanted.values()))]
                absent = sorted(wanted.keys() - frozenset().union(*served))
                problem = (
                    f"CustomResourceDefinition {', '.join(absent)} is not installed: nothing is looked after. "
                    "Apply crds/, which manifests/base has in it"
                    if absent
                    else None
                )
            except Interrupted as failed:
                problem = failed.finding.message
            self._tell(problem)
            if problem is None:
                return
            await asyncio.sleep(AGAIN_SECONDS)

    async def everything(self) -> None:
        """Return once every type could be listed in every namespace; what is found is looked at meanwhile."""
        types = watched(self._loop.kinds)
        left = [(of, namespace) for namespace in self._namespaces for of in types]
        while left:
            problems = await asyncio.gather(*(self._list(of, namespace, types[of]) for of, namespace in left))
            left = [one for one, problem in zip(left, problems, strict=True) if problem]
            self._tell(next(filter(None, problems), None))
            if left:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _list(self, of: Type, namespace: str, labels: str) -> str | None:
        declared = any(kind.type == of for kind in self._loop.kinds)
        try:
            found = await self._register.names(of, namespace, labels, 0 if declared else 1)
        except Interrupted as failed:
            return failed.finding.message
        if declared:
            # Sooner than kopf, whose start takes several rounds to the API server.
            for name in found:
                self._loop.changed(of, namespace, name)
        return None

    def _tell(self, problem: str | None) -> None:
        if problem is not None and problem != self.missing:
            log.warning("%s", problem)
        self.missing = problem
