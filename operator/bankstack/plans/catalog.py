"""What a ChangePlan may ask of which kind (pure). The CRD's rules and `kubectl explain` are made from it.

A kind that is named here has its plans read in every pass, also where it cannot carry
out an operation yet: such a plan is Refused with a sentence, never left without a word.
"""

from collections.abc import Mapping
from typing import Final

OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "LndNode": ("Restart", "Upgrade", "RotateCredentials", "Replace"),
}
