import io
import json
import logging
import warnings
from collections.abc import Iterator

import pytest

from bankstack import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.start("info", stream)
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_who_what_and_about_which_resource(stream: io.StringIO) -> None:
    about = {"kind": "LndNode", "resource": "bank/lnd1", "reason": "Missing", "password": "hunter2"}
    logging.getLogger("bankstack.x").warning("apply %s", "StatefulSet lnd1", extra=about)
    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "bankstack.x",
        "message": "apply StatefulSet lnd1",
        "kind": "LndNode",
        "resource": "bank/lnd1",
        "reason": "Missing",
    }


def test_an_exception_shows_its_place_and_not_its_text(stream: io.StringIO) -> None:
    try:
        {"other": 1}["s33d words"]
    except KeyError:
        logging.getLogger("aiohttp.server").exception("Error handling request")
    (line,) = lines(stream)
    assert "KeyError in test_an_exception" in line["error"]
    assert "s33d" not in stream.getvalue()


def test_one_record_is_one_line(stream: io.StringIO) -> None:
    logging.getLogger("kopf.activities").error("two\nlines")
    assert len(stream.getvalue().splitlines()) == 1


def test_libraries_are_heard_only_when_something_is_wrong(stream: io.StringIO) -> None:
    for name in ("kopf.objects", "aiohttp.access", "asyncio"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).error("trouble")
    assert [line["message"] for line in lines(stream)] == ["trouble"] * 3


def test_warnings_are_lines_too(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("soon gone", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    assert lines(stream)[0]["logger"] == "py.warnings"
