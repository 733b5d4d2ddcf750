"""The token and the allow-list, as files that are mounted, read again when they change.

Asked before every notification and by every look at the metrics, so that a mistake is
told before the night in which it counts. No token: nobody is believed. No list, or one
with a mistake: nothing is allowed.
"""

import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

import yaml

from bankstack.alerts import rules
from bankstack.alerts.rules import Known, Mistaken, Rule

log = logging.getLogger(__name__)
Content = TypeVar("Content")

#: A shorter one is guessed sooner than it is noticed.
TOKEN_LEAST: Final = 16
FILE_MOST: Final = 256 * 1024
BEARER: Final = "bearer "

NOBODY_BELIEVED: Final = (
    "no alert is believed: there is no token. Put one of 16 characters or more into key token of Secret "
    "bankstack-alerts, beside the operator"
)
NO_RULES: Final = (
    "no alert is taken: there is no allow-list. Put one into key rules.yaml of ConfigMap bankstack-alerts, beside the "
    "operator"
)


@dataclass(frozen=True)
class Files:
    """Where they are."""

    token: Path
    rules: Path


@dataclass(frozen=True)
class Settings:
    """What is allowed now. `mistakes`: the list is there and allows nothing."""

    #: Of the token; empty where there is none.
    fingerprint: bytes = b""
    rules: tuple[Rule, ...] | None = None
    mistakes: tuple[str, ...] = ()

    def believes(self, authorization: str) -> bool:
        """Whether an Authorization header has the token; as long for every wrong one."""
        scheme, given = authorization[: len(BEARER)], authorization[len(BEARER) :]
        fits = hmac.compare_digest(fingerprint(given.strip().encode(errors="replace")), self.fingerprint)
        return fits and bool(self.fingerprint) and scheme.lower() == BEARER


class _File(Generic[Content]):
    """A file that is read anew when it is another, and forgotten when it goes."""

    def __init__(self, path: Path, read: Callable[[bytes], Content]) -> None:
        self._path, self._read = path, read
        self._version: tuple[int, ...] | None = None
        self._content: Content | None = None

    def now(self) -> Content | None:
        """What it says; None where it is not there."""
        try:
            seen = self._path.stat()
            version = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
            if version != self._version:
                with self._path.open("rb") as file:
                    self._content = self._read(file.read(FILE_MOST))
                self._version = version
        except OSError:
            self._version, self._content = None, None
        return self._content


def _token(content: bytes) -> bytes:
    """Only its fingerprint is kept: what is not in memory is in no core dump."""
    token = content.strip()
    if len(token) < TOKEN_LEAST:
        log.error("the token of alerts is shorter than %d characters: no alert is believed", TOKEN_LEAST)
        return b""
    return fingerprint(token)


def fingerprint(token: bytes) -> bytes:
    """Of equal length whatever the token is, so that comparing takes equal time."""
    return hashlib.sha256(token).digest()


class Watched:
    """The settings as the files are now."""

    def __init__(self, files: Files, known: Known) -> None:
        self._files, self._known = files, known
        self._token = _File(files.token, _token)
        self._rules = _File(files.rules, self._read)

    def now(self) -> Settings:
        """Read again what has changed."""
        fingerprint, found = self._token.now(), self._rules.now()
        if isinstance(found, Mistaken):
            return Settings(fingerprint or b"", None, found.sentences)
        return Settings(fingerprint or b"", found)

    def _read(self, content: bytes) -> tuple[Rule, ...] | Mistaken:
        found = self._parsed(content)
        if isinstance(found, Mistaken):
            for sentence in found.sentences:
                log.error("the allow-list of alerts allows nothing: %s", sentence)
        else:
            log.info("the allow-list of alerts has %d rules", len(found))
        return found

    def _parsed(self, content: bytes) -> tuple[Rule, ...] | Mistaken:
        try:
            return rules.read(yaml.safe_load(content), self._known)
        except Mistaken as mistaken:
            return mistaken
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}" if mark is not None else "the file"
            return Mistaken((f"{where}: it is no YAML. Correct it",))
