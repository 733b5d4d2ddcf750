"""An object store as an LndNode sees it. It remembers whoever wanted to put something where something is."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from bankstack.clients import s3

from .line import Line

T = TypeVar("T")

BUCKET: Final = "backups"
ACCESS_KEY, SECRET_KEY = "AKIDOPERATOR", "planted-secret-key-9d1c"


class Stores:
    """The one store there is, and one bucket in it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        #: Code of its refusal of what a call begins with, None: it says nothing.
        self.fails: dict[str, str | None] = {}
        #: Whether it takes everything and keeps nothing.
        self.keeps_nothing = False

    def connect(self, line: Line) -> s3.Connect:
        """How an operator process reaches it."""

        @asynccontextmanager
        async def connected(account: s3.Account) -> AsyncIterator["Door"]:
            yield Door(self, line, account)

        return connected


class Door:
    """One connection: `clients.s3.Store`."""

    def __init__(self, stores: Stores, line: Line, account: s3.Account) -> None:
        self._stores, self._line, self._account = stores, line, account

    async def get(self, key: str) -> bytes | None:
        return await self._ask(f"s3 get {key}", "read", lambda objects: objects.get(key))

    async def put_new(self, key: str, content: bytes) -> bool:
        def put(objects: dict[str, bytes]) -> bool:
            return self._stores.keeps_nothing or objects.setdefault(key, content) is content

        return await self._ask(f"s3 put {key}", "write", put)

    async def newest(self, folder: str) -> str | None:
        return await self._ask(
            f"s3 list {folder}",
            "list",
            lambda objects: max((one for one in objects if one.startswith(folder)), default=None),
        )

    async def _ask(self, words: str, what: str, effect: Callable[[dict[str, bytes]], T]) -> T:
        return await self._line.call(
            words, lambda _: effect(self._opened(words, what)), lambda code: failed(code, what)
        )

    def _opened(self, words: str, what: str) -> dict[str, bytes]:
        for start, code in self._stores.fails.items():
            if words.startswith(start):
                raise failed(0, what) if code is None else refusal(what, code)
        if (self._account.access_key, self._account.secret_key) != (ACCESS_KEY, SECRET_KEY):
            raise refusal(what, "SignatureDoesNotMatch")
        if self._account.bucket != BUCKET:
            raise refusal(what, "NoSuchBucket")
        return self._stores.objects


def failed(code: int, what: str) -> Exception:
    """What becomes of an HTTP code; 0 is silence."""
    if code in (403, 422):
        return refusal(what, "AccessDenied")
    return s3.NoAnswer("the store cannot be reached")


def refusal(what: str, code: str) -> s3.Refused:
    return s3.Refused(f"the store does not let the operator {what} there ({code})")
