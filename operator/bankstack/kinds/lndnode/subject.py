"""The declared LndNode, by its types (pure)."""

from typing import TypeAlias

from bankstack.engine.declared import Declared
from bankstack.kinds.lndnode.model import LndNodeSpec, LndNodeStatus

LndNode: TypeAlias = Declared[LndNodeSpec, LndNodeStatus]
