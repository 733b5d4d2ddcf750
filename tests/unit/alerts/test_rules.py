"""What an allow-list may say, and the sentence for each mistake."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from bankstack.alerts import rules
from bankstack.alerts.rules import Mistaken
from bankstack.alerts.settings import Files, Watched

from .given import KNOWN, listed, rule

AIM = {"kind": "LndNode", "name": "lnd1", "namespace": "bank"}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "the file: "),
        ({}, "rules: Field required. Correct it"),
        ({"rules": [rule(operation="Replace")]}, "rules[0].operation: Replace is Red, and an alert asks for nothing"),
        (
            {"rules": [rule(), rule(name="b", operation="Explode")]},
            "rules[1].operation: LndNode has no operation Explode",
        ),
        ({"rules": [rule(target=AIM | {"kind": "Secret"})]}, "rules[0].operation: Secret has no operation Restart"),
        ({"rules": [rule(match={})]}, "rules[0].match: "),
        ({"rules": [rule(match={"a b": "c"})]}, "rules[0].match.a b"),
        ({"rules": [rule(target={"kind": "LndNode", "namespace": "bank"})]}, "exactly one of name and nameLabel"),
        ({"rules": [rule(target=AIM | {"nameLabel": "x"})]}, "exactly one of name and nameLabel"),
        ({"rules": [rule(target={"kind": "LndNode", "name": "x"})]}, "exactly one of namespace and namespaceLabel"),
        ({"rules": [rule(target=AIM | {"namespace": "kube-system"})]}, "kube-system is not looked after"),
        ({"rules": [rule(), rule()]}, "two are called database"),
        ({"rules": [rule(name="Bad Name")]}, "rules[0].name: "),
        ({"rules": [rule(valid="9999h")]}, "valid: 9999h is more than 31 days"),
        ({"rules": [rule(every="soon")]}, "rules[0].every: "),
        ({"rules": [rule(oops=1)]}, "rules[0].oops: Extra inputs are not permitted"),
    ],
)
def test_a_mistake_is_told_by_field_rule_and_cure(data: Any, sentence: str) -> None:  # noqa: ANN401 - any file
    with pytest.raises(Mistaken) as told:
        rules.read(data, KNOWN)
    assert any(sentence in one for one in told.value.sentences), told.value.sentences


def test_what_is_left_out_has_a_usual_value() -> None:
    (one,) = listed(rule())
    assert (one.every, one.valid) == ("24h", "24h")


class Mounted:
    """The two files as a kubelet mounts them."""

    def __init__(self, folder: Path) -> None:
        self.token, self.rules = folder / "token", folder / "rules.yaml"
        self.watched = Watched(Files(self.token, self.rules), KNOWN)

    def has(self, path: Path, text: str) -> None:
        fresh = path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.rename(path)


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    return Mounted(tmp_path)


def test_files_are_read_again_when_they_change_and_forgotten_when_they_go(mounted: Mounted) -> None:
    assert not mounted.watched.now().believes("Bearer ")
    mounted.has(mounted.token, "0123456789abcdef\n")
    mounted.has(mounted.rules, yaml.safe_dump({"rules": [rule()]}))
    seen = mounted.watched.now()
    assert (seen.believes("Bearer 0123456789abcdef"), len(seen.rules or ())) == (True, 1)
    mounted.has(mounted.token, "fedcba9876543210")
    mounted.has(mounted.rules, yaml.safe_dump({"rules": [rule(), rule(name="b")]}))
    seen = mounted.watched.now()
    assert not seen.believes("Bearer 0123456789abcdef")
    assert (seen.believes("Bearer fedcba9876543210"), len(seen.rules or ())) == (True, 2)
    mounted.token.unlink()
    mounted.rules.unlink()
    seen = mounted.watched.now()
    assert (seen.believes("Bearer fedcba9876543210"), seen.rules, seen.mistakes) == (False, None, ())


def test_a_short_token_is_none(mounted: Mounted) -> None:
    mounted.has(mounted.token, "short")
    assert not mounted.watched.now().fingerprint


@pytest.mark.parametrize("text", ["rules: [", "\x00", "rules: &a [*a]", "!!python/object:os.system x", "rules: 1"])
def test_a_broken_list_allows_nothing_and_says_so(mounted: Mounted, text: str) -> None:
    mounted.has(mounted.rules, text)
    seen = mounted.watched.now()
    assert (seen.rules, len(seen.mistakes) > 0) == (None, True)


def test_what_did_not_change_is_not_read_again(mounted: Mounted) -> None:
    mounted.has(mounted.rules, yaml.safe_dump({"rules": [rule()]}))
    assert mounted.watched.now().rules is mounted.watched.now().rules
    assert os.stat(mounted.rules).st_size > 0  # noqa: PTH116 - it is there
