"""What is said of a resource in a pass that saw nothing of it."""

from bankstack.engine.conditions import Claim
from bankstack.engine.finding import Finding, Transient
from bankstack.engine.model import Condition
from bankstack.engine.operation import RUNNING
from bankstack.engine.sight import unseen

FINDING = Finding("ApiUnavailable", "the API server does not answer", Transient())


def test_what_was_wrong_stays_wrong_and_what_was_well_is_not_known() -> None:
    own = (("ChannelBackup", "False"), ("Synced", "True"), ("Writable", "Unknown"), (RUNNING, "True"))
    told = {
        "reason": "Said",
        "message": "before",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-03-01T12:00:00Z",
    }
    before = [Condition.model_validate({"type": kind, "status": status, **told}) for kind, status in own]
    assert unseen(before, FINDING) == (
        Claim("ChannelBackup", "False", "Said", "before"),
        Claim("Synced", "Unknown", "ApiUnavailable", FINDING.message),
        Claim("Writable", "Unknown", "ApiUnavailable", FINDING.message),
        Claim(RUNNING, "True", "Said", "before"),
    )
