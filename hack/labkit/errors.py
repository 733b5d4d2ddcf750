"""What can go wrong in the lab, and what the caller's shell sees of it.

LabError
├── Refused      exit 2: the request or the machine; nothing was changed
└── StepFailed   exit 1: a step of ours failed; names the log
"""

from pathlib import Path


class LabError(Exception):
    """One sentence for a person; `exit_code` for their shell."""

    exit_code = 1


class Refused(LabError):
    """The lab will not begin: the sentence names what to change."""

    exit_code = 2


class StepFailed(LabError):
    """A command of a step failed; its whole output is in `log`."""

    def __init__(self, what: str, log: Path | None = None, tail: str = "") -> None:
        super().__init__(what)
        self.log = log
        self.tail = tail
