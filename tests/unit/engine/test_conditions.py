from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bankstack.engine.conditions import Claim, summarise
from bankstack.engine.finding import Finding, Stalled, Transient, Waiting, first
from bankstack.engine.model import Condition

NOW = datetime(2026, 11, 21, 3, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)

FINDINGS = st.none() | st.builds(
    Finding,
    reason=st.sampled_from(["BitcoindAway", "WalletMissing", "IdentityChanged"]),
    message=st.text(max_size=3000),
    policy=st.sampled_from([Waiting(3), Stalled(), Transient()]),
    stops=st.booleans(),
)
CLAIMS = st.lists(
    st.builds(
        Claim,
        type=st.sampled_from(["ChainSynced", "BackupFresh", "ChangePending", "Ready", "Stalled"]),
        status=st.sampled_from(["True", "False", "Unknown"]),
        reason=st.just("Because"),
        message=st.text(max_size=50),
    ),
    unique_by=lambda claim: claim.type,
)


def words(conditions: tuple[Condition, ...]) -> dict[str, str]:
    return {condition.type: f"{condition.status} {condition.reason}" for condition in conditions}


def test_a_resource_with_nothing_wrong_is_ready_and_says_no_more() -> None:
    assert words(summarise(1, (), None, (), NOW)) == {"Ready": "True AsDeclared"}


def test_what_a_person_must_mend_is_stalled() -> None:
    finding = Finding("IdentityChanged", "its wallet was replaced", Stalled())
    assert words(summarise(1, (), finding, (), NOW)) == {
        "Ready": "False IdentityChanged",
        "Stalled": "True IdentityChanged",
    }


def test_what_mends_itself_is_reconciling() -> None:
    for policy in (Waiting(5), Transient()):
        found = words(summarise(1, (), Finding("BitcoindAway", "no answer", policy), (), NOW))
        assert found == {"Ready": "False BitcoindAway", "Reconciling": "True BitcoindAway"}


def test_what_is_only_worth_telling_stays_ready() -> None:
    finding = Finding("BackupOld", "the backup is 2 days old", Waiting(60), stops=False)
    assert words(summarise(1, (), finding, (), NOW)) == {"Ready": "True BackupOld"}


def test_a_pending_change_leaves_ready_as_it_is() -> None:
    pending = Claim("ChangePending", "True", "VersionChanged", "v0.22 waits for approval")
    assert words(summarise(2, (), None, [pending], NOW)) == {
        "Ready": "True AsDeclared",
        "ChangePending": "True VersionChanged",
    }


@given(FINDINGS, CLAIMS)
def test_ready_is_said_once_and_first_whatever_a_kind_claims(finding: Finding | None, own: list[Claim]) -> None:
    types = [condition.type for condition in summarise(1, (), finding, own, NOW)]
    assert types[0] == "Ready"
    assert len(types) == len(set(types))
    assert not {"Reconciling", "Stalled"} <= set(types)


@given(FINDINGS, CLAIMS)
def test_the_same_again_later_changes_nothing(finding: Finding | None, own: list[Claim]) -> None:
    before = summarise(1, (), finding, own, NOW)
    assert summarise(1, before, finding, own, LATER) == before


@given(FINDINGS, FINDINGS, CLAIMS, CLAIMS)
def test_a_time_moves_only_with_its_status(
    was: Finding | None, then: Finding | None, own: list[Claim], later: list[Claim]
) -> None:
    before = {condition.type: condition for condition in summarise(1, (), was, own, NOW)}
    for condition in summarise(2, before.values(), then, later, LATER):
        earlier = before.get(condition.type)
        kept = earlier is not None and earlier.status == condition.status
        assert condition.last_transition_time == ("2026-11-21T03:00:00Z" if kept else "2026-11-21T03:05:00Z")


def test_the_order_of_checks_is_the_policy() -> None:
    def check(word: str) -> Finding | None:
        return Finding(word, word, Stalled()) if word else None

    checks = [lambda node, _, word=word: check(word) and check(f"{node}{word}") for word in ("", "Funds", "Comfort")]
    found = first(checks, "lnd1", None)
    assert found is not None
    assert found.reason == "lnd1Funds"
