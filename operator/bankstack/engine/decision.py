"""What to do next, as data one can print, diff and test (pure).

Actions are carried out in their order and stop at the first that fails, so every
prefix of a decision must be safe. Nothing here holds a secret's content: where one
must be made, the action only says so and the kind's `act` makes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from bankstack.engine.conditions import Claim
from bankstack.engine.finding import Finding
from bankstack.engine.model import Status
from bankstack.engine.objects import Manifest, Ref, ref

#: The reason to apply what was not there when it was looked for: made, never taken over.
MISSING: Final = "Missing"
#: Seconds until another look, for who waits for nobody's news: not even for the rest after a pass.
AT_ONCE: Final = 0.0


@dataclass(frozen=True)
class Apply:
    """Bring a child to its manifest, by server-side apply; `reason` is a word like Missing or Drifted."""

    manifest: Manifest
    reason: str

    def __str__(self) -> str:
        return f"apply {ref(self.manifest)} ({self.reason})"


@dataclass(frozen=True)
class Delete:
    """Delete exactly this life of an object."""

    ref: Ref
    uid: str
    reason: str

    def __str__(self) -> str:
        return f"delete {self.ref} ({self.reason})"


@dataclass(frozen=True)
class Ask:
    """One of the kind's own actions on an outside system; doing it twice equals once.

    `words` are its arguments, and are logged: no secrets.
    """

    action: str
    reason: str
    words: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join([self.action, *(f"{key}={value}" for key, value in self.words.items()), f"({self.reason})"])


Action: TypeAlias = Apply | Delete | Ask


def soonest(*wishes: float | None) -> float | None:
    """Seconds until the first of several wishes to look again; None where there is none."""
    return min((wish for wish in wishes if wish is not None), default=None)


@dataclass(frozen=True)
class Decision:
    """The outcome of one look at the facts.

    `status` is what the kind's own fields shall say; its conditions are derived by the
    engine from `finding` and `claims`. `then` is what they say instead once every action was
    carried out: a word that others wait for is given in the pass that makes it true.
    `released`: nothing is left to protect, a deleted resource may go. `look_again` in
    seconds, where no event will tell; `after` an Ask, which changes something that no watch
    tells of: payments may wait for what comes of it.
    """

    status: Status
    actions: tuple[Action, ...] = ()
    finding: Finding | None = None
    claims: tuple[Claim, ...] = ()
    released: bool = False
    look_again: float | None = None
    after: float = AT_ONCE
    then: Status | None = None

    @property
    def asks(self) -> bool:
        """Whether it does something that no watch tells of."""
        return any(isinstance(action, Ask) for action in self.actions)

    @property
    def settled(self) -> bool:
        """Whether its own word is all that comes of what it does: nothing new is to be seen soon."""
        return bool(self.actions) and self.then not in (None, self.status)
