"""Whether an operator is at work (pure): where none is, every status is old news, and no plan goes on.

Seen by its lease. Who may not read that is told nothing of it, and neither is who has the
operator elsewhere: silence here proves nothing, a stale lease does.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from bankstack.engine.objects import LEASE, Manifest, Ref

SYSTEM: Final = "bankstack-system"
REF: Final = Ref(LEASE, "bankstack-operator")
#: What a computer's clock may be off, and a new operator may take.
GRACE: Final = timedelta(seconds=60)


def silence(lease: Manifest | None, now: datetime) -> str:
    """The sentence where nobody is at work; else nothing."""
    spec = (lease or {}).get("spec") or {}
    if not spec.get("renewTime"):
        return ""
    seen = datetime.strptime(spec["renewTime"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    if now <= seen + timedelta(seconds=spec.get("leaseDurationSeconds", 0)) + GRACE:
        return ""
    return (
        f"no operator is at work since {seen:%Y-%m-%dT%H:%M:%SZ}, by this computer's clock: what runs keeps running, "
        f"what is said here is its last word, and no plan goes on. See kubectl -n {SYSTEM} get pods"
    )
