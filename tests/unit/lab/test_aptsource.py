import pytest

from labkit import aptsource
from labkit.aptsource import Source
from labkit.errors import Refused

DEB822 = """\
Types: deb
# a comment with a colon: here
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
"""
ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib
deb http://security.example/debian-security bookworm-security main
"""
BOTH = Source("http://mirror.example/debian", "http://security.example/debian-security")


@pytest.mark.parametrize("text", [DEB822, ONE_LINE])
def test_both_of_apts_formats_are_read(text: str) -> None:
    assert aptsource.parse([text]) == BOTH


def test_other_vendors_archives_are_passed_over() -> None:
    vendor = "deb https://vendor.example/apt nodistro main\n"
    assert aptsource.parse([vendor, ONE_LINE]) == BOTH


def test_a_machine_without_a_debian_archive_is_told_what_to_set() -> None:
    with pytest.raises(Refused, match="set LAB_DEBIAN_MIRROR to one"):
        aptsource.parse(["deb http://ubuntu.example/ubuntu noble main\n"])


def test_what_is_set_by_hand_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(aptsource.OVERRIDE, "http://mine.example/debian")
    assert aptsource.machine() == Source("http://mine.example/debian")


def test_the_archive_itself_comes_first() -> None:
    assert aptsource.lines(BOTH, "trixie").splitlines() == [
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
        "deb http://security.example/debian-security trixie-security main",
    ]
