from bankstack.engine.announce import Announcement, announcements
from bankstack.engine.model import Condition


def condition(type_: str, status: str, reason: str, message: str = "m") -> Condition:
    return Condition(
        type=type_, status=status, reason=reason, message=message, observed_generation=1,
        last_transition_time="2026-01-01T00:00:00Z",
    )  # fmt: skip


READY = condition("Ready", "True", "AsDeclared")
STARTING = (condition("Ready", "False", "Starting"), condition("Reconciling", "True", "Starting"))
BROKEN = (condition("Ready", "False", "IdentityChanged"), condition("Stalled", "True", "IdentityChanged"))


def test_what_did_not_change_is_not_told_again() -> None:
    assert announcements([READY], [READY]) == ()
    assert announcements(BROKEN, BROKEN) == ()


def test_another_message_alone_is_no_event() -> None:
    assert (
        announcements(
            [condition("Ready", "False", "Starting", "1 %")], [condition("Ready", "False", "Starting", "2 %")]
        )
        == ()
    )


def test_another_reason_or_status_is_one() -> None:
    assert announcements(STARTING, [READY]) == (Announcement("Normal", "AsDeclared", "m"),)
    later = condition("Ready", "False", "Unlocking")
    assert announcements(STARTING, [later]) == (Announcement("Normal", "Unlocking", "m"),)


def test_what_only_a_person_can_mend_is_a_warning_told_once() -> None:
    assert announcements([READY], BROKEN) == (Announcement("Warning", "IdentityChanged", "m"),)


def test_starting_is_no_warning() -> None:
    assert announcements((), STARTING) == (Announcement("Normal", "Starting", "m"),)


def test_a_condition_nobody_can_tell_any_more_is_a_warning() -> None:
    before = [READY, condition("Synced", "True", "AtTip")]
    assert announcements(before, [READY, condition("Synced", "Unknown", "NoAnswer")]) == (
        Announcement("Warning", "NoAnswer", "m"),
    )


def test_what_was_never_known_of_a_new_resource_is_no_news() -> None:
    assert announcements((), [*STARTING, condition("Synced", "Unknown", "NoAnswer")]) == (
        Announcement("Normal", "Starting", "m"),
    )


def test_a_condition_that_goes_away_is_not_told() -> None:
    assert announcements([READY, condition("ChangePending", "True", "NeedsRestart")], [READY]) == ()


def test_what_several_conditions_say_alike_is_told_once_and_as_the_worst_of_them() -> None:
    before = [READY, condition("Synced", "True", "AtTip"), condition("Stored", "True", "AsSent")]
    silent = [condition(one.type, "Unknown", "NoAnswer", "LND is silent") for one in before]
    assert announcements(before, silent) == (Announcement("Warning", "NoAnswer", "LND is silent"),)
    other = [*silent[:2], condition("Stored", "Unknown", "NoAnswer", "the store is silent")]
    assert [one.message for one in announcements(before, other)] == ["LND is silent", "the store is silent"]
