import json

import pytest

from bankstack.engine.finding import Stalled, Transient, Waiting
from bankstack.engine.objects import POD, SECRET, STATEFUL_SET
from bankstack.kube.errors import Answer, Call, answer, refused, silent

APPLY = Call("apply", STATEFUL_SET, "bank", "lnd1")
RBAC = 'statefulsets.apps "lnd1" is forbidden: User "x" cannot patch resource "statefulsets" in API group "apps"'


@pytest.mark.parametrize(
    ("given", "reason", "policy"),
    [
        (Answer(403, "Forbidden", RBAC), "Forbidden", Transient),
        (Answer(403, "Forbidden", "is being terminated", ("NamespaceTerminating",)), "NamespaceTerminating", Waiting),
        (Answer(403, "Forbidden", "exceeded quota: small"), "Denied", Transient),
        (Answer(401), "Unauthorized", Transient),
        (Answer(404, "NotFound", "namespaces bank not found"), "NotFound", Transient),
        (Answer(409, "Conflict"), "Conflict", Transient),
        (Answer(422, "Invalid", "spec.serviceName: immutable"), "Refused", Stalled),
        (Answer(413), "Refused", Stalled),
        (Answer(400, "BadRequest"), "Refused", Stalled),
        (Answer(429), "ApiUnavailable", Transient),
        (Answer(500), "ApiUnavailable", Transient),
        (Answer(503), "ApiUnavailable", Transient),
        (Answer(302), "ApiUnavailable", Transient),
    ],
)
def test_each_answer_has_its_reason_and_its_policy(given: Answer, reason: str, policy: type) -> None:
    finding = refused(APPLY, given).finding
    assert (finding.reason, type(finding.policy)) == (reason, policy)
    assert "lnd1" in finding.message


def test_a_missing_right_is_named_as_a_role_has_it() -> None:
    assert "`patch statefulsets.apps`" in refused(APPLY, Answer(403, "Forbidden", RBAC)).finding.message
    status = Call("status", STATEFUL_SET, "bank", "lnd1")
    assert "`patch statefulsets.apps/status`" in refused(status, Answer(403, "Forbidden", RBAC)).finding.message
    assert "`list pods`" in refused(Call("list", POD, "bank"), Answer(403, "Forbidden", RBAC)).finding.message


def test_what_the_server_says_is_told_but_never_of_a_secret() -> None:
    said = Answer(422, "Invalid", 'Invalid value: "hunter2"')
    assert "hunter2" in refused(APPLY, said).finding.message
    assert "hunter2" not in refused(Call("create", SECRET, "bank", "s"), said).finding.message


def test_silence_about_a_write_is_not_taken_for_a_no() -> None:
    assert "may or may not have been done" in silent(APPLY, 10).finding.message
    assert "may or may not" not in silent(Call("get", POD, "bank", "p"), 5).finding.message
    assert isinstance(silent(APPLY, 10).finding.policy, Transient)


def test_an_answer_that_is_no_status_still_has_its_code() -> None:
    assert answer(502, b"<html>bad gateway</html>") == Answer(502)
    assert answer(500, b"[]") == Answer(500)
    status = {"kind": "Status", "reason": "Forbidden", "message": "no", "details": {"causes": [{"reason": "Why"}]}}
    assert answer(403, json.dumps(status).encode()) == Answer(403, "Forbidden", "no", ("Why",))
    assert answer(403, b'{"kind": "Status", "details": null}') == Answer(403)
