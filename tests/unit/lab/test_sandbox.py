import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import capabilities, sandbox

STATUS = "Name:\tx\nCapBnd:\t000001fffeffffff\n"


def test_the_missing_capability_is_found_and_named() -> None:
    assert [capabilities.NAMES[bit] for bit in sandbox.missing_bits(STATUS, 40)] == ["CAP_SYS_RESOURCE"]


def test_a_full_host_misses_nothing() -> None:
    assert sandbox.missing_bits("CapBnd:\t000001ffffffffff\n", 40) == []


def test_a_bundle_asks_for_nothing_the_host_lacks(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    spec = {
        "process": {"capabilities": {"bounding": ["CAP_KILL", "CAP_SYS_RESOURCE"], "effective": ["CAP_SYS_RESOURCE"]}}
    }
    config.write_text(json.dumps(spec | {"root": {"path": "r"}}))
    sandbox.rewrite(str(config), frozenset({"CAP_SYS_RESOURCE"}), whole_bundle=True)
    written = json.loads(config.read_text())
    assert written["process"]["capabilities"]["bounding"] == ["CAP_KILL"]
    assert written["root"] == {"path": "r"}
    assert "SYS_RESOURCE" not in config.read_text()


def test_an_exec_file_is_the_process_itself(tmp_path: Path) -> None:
    process = tmp_path / "process.json"
    process.write_text(json.dumps({"args": ["sh"], "capabilities": {"permitted": ["CAP_SYS_RESOURCE", "CAP_CHOWN"]}}))
    sandbox.rewrite(str(process), frozenset({"CAP_SYS_RESOURCE"}), whole_bundle=False)
    assert json.loads(process.read_text())["capabilities"]["permitted"] == ["CAP_CHOWN"]


def test_a_process_without_capabilities_is_left_as_it_is() -> None:
    assert sandbox.without({"args": ["sh"]}, frozenset({"CAP_KILL"})) == {"args": ["sh"]}


@given(st.sets(st.sampled_from(capabilities.NAMES)), st.sets(st.sampled_from(capabilities.NAMES)))
def test_what_is_left_is_asked_minus_missing(asked: set[str], missing: set[str]) -> None:
    process = {"capabilities": {"bounding": sorted(asked)}}
    assert set(sandbox.without(process, frozenset(missing))["capabilities"]["bounding"]) == asked - missing


def test_flags_are_read_in_both_spellings() -> None:
    assert sandbox.argument(["create", "--bundle", "/b", "id"], "--bundle", "-b") == "/b"
    assert sandbox.argument(["exec", "--process=/p", "id"], "--process", "-p") == "/p"
    assert sandbox.argument(["state", "id"], "--bundle", "-b") is None


def test_the_real_runtime_gets_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"process": {"capabilities": {"bounding": ["CAP_KILL"]}}}))
    (tmp_path / "process.json").write_text(json.dumps({"capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"]}}))
    called: list[list[str]] = []
    monkeypatch.setenv("LAB_MISSING_CAPABILITIES", "CAP_KILL")
    monkeypatch.setattr("os.execvp", lambda _, words: called.append(words))
    words = ["exec", "--bundle", str(tmp_path), "--process", str(tmp_path / "process.json"), "id"]
    sandbox.main(words)
    assert called == [["runc", *words]]
    assert "CAP_KILL" not in (tmp_path / "config.json").read_text() + (tmp_path / "process.json").read_text()
