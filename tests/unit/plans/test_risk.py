import pytest

from bankstack.engine.operation import Risk
from bankstack.plans.risk import ANNOTATIONS, needed


@pytest.mark.parametrize(("risk", "count"), [(Risk.GREEN, 0), (Risk.AMBER, 1), (Risk.RED, 2)])
def test_what_a_risk_needs_where_nothing_is_said(risk: Risk, count: int) -> None:
    assert needed(risk, {}).count == count
    assert needed(risk, {}).doubt == ""


@pytest.mark.parametrize(("risk", "said", "count"), [(Risk.AMBER, "0", 0), (Risk.AMBER, "3", 3), (Risk.RED, "1", 1)])
def test_a_namespace_has_its_own_counts(risk: Risk, said: str, count: int) -> None:
    assert needed(risk, {ANNOTATIONS[risk]: said}).count == count


@pytest.mark.parametrize("said", ["0", "-1", "ten", "", "10", "²", "1.5", "00000000000000000000000001", "1 "])
def test_red_is_never_the_requesters_alone_and_nonsense_lowers_nothing(said: str) -> None:
    found = needed(Risk.RED, {ANNOTATIONS[Risk.RED]: said})
    assert found.count == 2
    assert found.doubt == (
        f"annotation bankstack.io/approvals-red of the namespace is {said[:20]!r} and has to be a number from 1 to 9: "
        "2 approvals are needed until it is corrected"
    )


def test_nothing_makes_green_wait() -> None:
    assert needed(Risk.GREEN, {"bankstack.io/approvals-green": "3"}).count == 0
