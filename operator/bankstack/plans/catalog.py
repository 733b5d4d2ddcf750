"""What a ChangePlan may ask of which kind (pure). The CRD's rules and `kubectl explain` are made from it.

What is not here is refused by the API server, with a sentence; and where its CRD is newer
than the operator, by the operator.
"""

from collections.abc import Mapping
from typing import Final

OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "LndNode": ("Restart", "Replace"),
}
