"""No answer of the API server is never taken for "there is nothing"."""

import subprocess

import pytest

from demokit.kube import Kubectl, eventually
from labkit.errors import StepFailed


class Answers(Kubectl):
    """kubectl that always says the same."""

    def __init__(self, code: int, out: str = "", err: str = "") -> None:
        self._ended = subprocess.CompletedProcess([], code, out, err)

    def asks(self, *words: str, stdin: str = "", timeout: float = 120) -> subprocess.CompletedProcess[str]:  # noqa: ARG002
        return self._ended


def test_what_is_there_is_found_and_of_an_unknown_kind_there_is_nothing() -> None:
    assert Answers(0, "bank/vault\n").has("bank")
    assert not Answers(0, "").has("bank")
    assert not Answers(1, "", 'error: the server doesn\'t have a resource type "bank"').has("bank")


def test_a_server_that_does_not_answer_does_not_say_that_there_is_nothing() -> None:
    with pytest.raises(StepFailed, match="connection refused"):
        Answers(1, "", "connection refused").has("bank")


def test_what_does_not_come_in_time_is_named() -> None:
    with pytest.raises(StepFailed, match="Not within 0 s: the moon is blue"):
        eventually(lambda: False, 0, "the moon is blue", every=0)
