"""How many people have to agree (pure).

The counts of a namespace are annotations of the Namespace object itself. Whoever may edit
the resources in it, and so ask for plans, may not edit that one: a requester cannot lower
his own bar, as he could in a ConfigMap beside his plan, and a small team is set up
without touching the operator. What is written there and makes no sense lowers nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bankstack.engine.operation import Risk

ANNOTATIONS: Final = {Risk.AMBER: "bankstack.io/approvals-amber", Risk.RED: "bankstack.io/approvals-red"}
#: Red is never the requester's alone, whatever a namespace says.
LEAST: Final = {Risk.AMBER: 0, Risk.RED: 1}
USUAL: Final = {Risk.AMBER: 1, Risk.RED: 2}
MOST: Final = 9


@dataclass(frozen=True)
class Needed:
    """So many approvals; `doubt` says which annotation was not followed, and why."""

    count: int
    doubt: str = ""


def needed(risk: Risk, annotations: Mapping[str, str]) -> Needed:
    """Approvals by others than the requester, in a namespace with these annotations."""
    if risk is Risk.GREEN:
        return Needed(0)
    name = ANNOTATIONS[risk]
    said = annotations.get(name)
    if said is None:
        return Needed(USUAL[risk])
    if said.isascii() and said.isdigit() and LEAST[risk] <= int(said[:4]) <= MOST:
        return Needed(int(said))
    return Needed(
        USUAL[risk],
        f"annotation {name} of the namespace is {said[:20]!r} and has to be a number from {LEAST[risk]} to {MOST}: "
        f"{USUAL[risk]} approvals are needed until it is corrected",
    )
