"""What a pass sees where nobody made a plan: for tests that observe without the engine."""

from collections.abc import Mapping
from dataclasses import dataclass

from bankstack.engine.objects import FieldValue, Manifest, Ref, Type
from bankstack.engine.operation import Active
from bankstack.engine.ports import Reader


@dataclass(frozen=True)
class NoPlans:
    """`ports.Sight` over live reads."""

    reader: Reader

    async def get(self, ref: Ref, namespace: str) -> Manifest | None:
        return await self.reader.get(ref, namespace)

    async def list(
        self, of: Type, namespace: str, selector: Mapping[str, str], without: FieldValue | None = None
    ) -> tuple[Manifest, ...]:
        return await self.reader.list(of, namespace, selector, without)

    async def plan(self) -> Active | None:
        return None
