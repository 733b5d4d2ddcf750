"""An object store's answers, from a server that says what the story wants; signatures by the published examples."""

import asyncio
import hashlib
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bankstack.clients import s3
from bankstack.clients.s3 import Account, NoAnswer, Refused, Request, Store
from bankstack.engine import signing

SECRET = "planted-pass-7f3a"  # noqa: S105 - planted, to be looked for
ACCOUNT = Account("", "us-east-1", "backups", "AKIDPLANTED", SECRET)
Handler = Callable[[web.Request], Any]

#: As Amazon publishes them for S3's Signature Version 4, with the results that it gives.
HOST = "examplebucket.s3.amazonaws.com"
PUBLISHED = Account("", "us-east-1", "", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
EXAMPLES = {
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41": Request(
        "GET", HOST, "/test.txt", headers={"range": "bytes=0-9"}
    ),
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd": Request(
        "PUT",
        HOST,
        "/test%24file.text",
        headers={"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
        digest=hashlib.sha256(b"Welcome to Amazon S3.").hexdigest(),
    ),
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543": Request("GET", HOST, "/", "lifecycle="),
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7": Request(
        "GET", HOST, "/", s3.query({"prefix": "J", "max-keys": "2"})
    ),
}


@pytest.mark.parametrize("signature", EXAMPLES)
def test_the_published_examples_are_signed_as_published(signature: str) -> None:
    headers = s3.signed(EXAMPLES[signature], PUBLISHED, datetime(2013, 5, 24, tzinfo=UTC))
    assert headers["authorization"].endswith(f"Signature={signature}")


@asynccontextmanager
async def serving(handler: Handler, **account: Any) -> AsyncIterator[Store]:  # noqa: ANN401 - parts of an Account
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with s3.connect(replace(ACCOUNT, **{"endpoint": endpoint} | account)) as store:
            yield store
    finally:
        await runner.cleanup()


def saying(status: int, code: str = "", body: bytes = b"") -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        told = f"<Error><Code>{code}</Code><Message>{SECRET} AKIDPLANTED StringToSign</Message></Error>".encode()
        return web.Response(status=status, body=told if code else body)

    return handler


@pytest.mark.parametrize(
    ("status", "code", "kind", "told"),
    [
        (403, "SignatureDoesNotMatch", Refused, "SignatureDoesNotMatch"),
        (404, "NoSuchBucket", Refused, "NoSuchBucket"),
        (404, "", Refused, "HTTP 404"),
        (301, "PermanentRedirect", Refused, "PermanentRedirect"),
        (501, "NotImplemented", NoAnswer, "NotImplemented"),
        (503, "SlowDown", NoAnswer, "SlowDown"),
        (429, "", NoAnswer, "HTTP 429"),
        (409, "ConditionalRequestConflict", NoAnswer, "ConditionalRequestConflict"),
    ],
)
async def test_of_a_failure_only_its_code_is_told(status: int, code: str, kind: type[Exception], told: str) -> None:
    async with serving(saying(status, code)) as store:
        for question in (store.get("a"), store.put_new("a", b"x"), store.newest("a/")):
            with pytest.raises(kind, match=told) as caught:
                await question
            assert SECRET not in str(caught.value)
            assert "AKIDPLANTED" not in f"{caught.value!r} {caught.value.__cause__}"
            assert "StringToSign" not in str(caught.value)


async def test_a_put_never_overwrites_and_says_who_was_first() -> None:
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=412)

    async with serving(handler) as store:
        assert not await store.put_new("lnd/one.scb", b"content")
    (request,) = asked
    assert (request.method, request.path, request.headers["if-none-match"]) == ("PUT", "/backups/lnd/one.scb", "*")
    assert "if-none-match" in request.headers["authorization"], "signed: nobody on the way can take it off"


async def test_nothing_there_is_only_what_the_store_says_so_of() -> None:
    async with serving(saying(404, "NoSuchKey")) as store:
        assert await store.get("a") is None


async def test_of_many_pages_the_last_key_is_the_newest() -> None:
    async def handler(request: web.Request) -> web.Response:
        if request.query.get("continuation-token") == "a+/=":
            return web.Response(body=b"<R><Contents><Key>f/c&amp;d</Key></Contents></R>")
        keys = b"<Contents><Key>f/a</Key></Contents><Contents><Key>f/b</Key></Contents>"
        return web.Response(body=b"<R>%b<NextContinuationToken>a+/=</NextContinuationToken></R>" % keys)

    async with serving(handler) as store:
        assert await store.newest("f/") == "f/c&d"


async def test_a_list_without_an_end_and_an_answer_without_an_end_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGES_MOST", 3)
    monkeypatch.setattr(s3, "BYTES_MOST", 100)
    async with serving(saying(200, body=b"<NextContinuationToken>x</NextContinuationToken>")) as store:
        with pytest.raises(NoAnswer, match="more than 3 pages"):
            await store.newest("f/")
    async with serving(saying(200, body=b"x" * 101)) as store:
        with pytest.raises(Refused, match="more than 100 bytes"):
            await store.get("a")


async def test_silence_ends_and_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "BOUND", 0.1)
    heard = asyncio.Event()

    async def handler(_request: web.Request) -> web.Response:
        await heard.wait()
        return web.Response()

    async with serving(handler) as store:
        with pytest.raises(NoAnswer, match=r"within 0\.1 s"):
            await store.get("a")
        heard.set()


async def test_who_is_not_there_or_speaks_no_tls_is_no_answer() -> None:
    async with serving(saying(200), endpoint="http://127.0.0.1:1") as store:
        with pytest.raises(NoAnswer, match="cannot be reached"):
            await store.get("a")


@pytest.mark.parametrize("wrong", [{"endpoint": "http://a:99999"}, {"endpoint": "http://a..b"}, {"access_key": "a\nb"}])
async def test_what_cannot_be_sent_is_refused_with_a_sentence(wrong: dict[str, str]) -> None:
    async with serving(saying(200), **wrong) as store:
        with pytest.raises(Refused, match="none that can be used"):
            await store.get("a")


def serving_as(pair: signing.Pair) -> ssl.SSLContext:
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(pair.certificate + pair.key)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file.name)
    return context


@asynccontextmanager
async def showing_a_certificate(roots: bytes | None = None) -> AsyncIterator[Store]:
    """A store with TLS, signed for by an authority of its own."""
    authority = signing.make_authority("store", datetime.now(UTC))
    pair = signing.issue(authority, ("localhost",), datetime.now(UTC), timedelta(days=1))
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", saying(200, body=b"content"))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving_as(pair)).start()
        trusted = roots if roots is not None else authority.certificate
        endpoint = f"https://localhost:{runner.addresses[0][1]}"
        async with s3.connect(replace(ACCOUNT, endpoint=endpoint, roots=trusted.decode() or None)) as store:
            yield store
    finally:
        await runner.cleanup()


async def test_only_a_store_that_somebody_trusted_vouches_for_is_spoken_to() -> None:
    async with showing_a_certificate() as store:
        assert await store.get("a") == b"content"
    other = signing.make_authority("other", datetime.now(UTC)).certificate
    for roots in (other, b""):
        async with showing_a_certificate(roots) as store:
            with pytest.raises(NoAnswer, match="caSecret"):
                await store.get("a")


async def test_authorities_that_are_none_are_told() -> None:
    with pytest.raises(Refused, match="are none"):
        async with s3.connect(replace(ACCOUNT, endpoint="https://127.0.0.1:1", roots="no PEM")):
            pass


def test_an_account_can_be_printed() -> None:
    assert SECRET not in repr(ACCOUNT)
    assert "AKIDPLANTED" not in repr(ACCOUNT)
