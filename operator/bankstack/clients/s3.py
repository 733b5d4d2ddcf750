"""An object store that speaks S3, as four questions. It decides nothing, and overwrites and deletes nothing.

    async with connect(account) as store:
        await store.put_new("backups/one", content)

Two ways to fail, and nothing else leaves this module:

    NoAnswer   nothing is known: unreachable, busy, or not to be trusted to be the store
    Refused    the store answered no: its own code

Neither ever holds credentials. Of what the store says only its code is passed on: its
sentences repeat the key and the text that was signed.
"""

import base64
import hashlib
import hmac
import html
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

#: Seconds for one question: law 3 says every probe ends.
BOUND: Final = 5.0
#: More is no backup of ours.
BYTES_MOST: Final = 16 * 2**20
#: Lists of a thousand names each: a folder with more is not one of ours.
PAGES_MOST: Final = 100
#: What is spoken of instead of a content: nothing is sent.
EMPTY: Final = hashlib.sha256(b"").hexdigest()

_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]{1,64})</Code>")
_KEY: Final = re.compile(rb"<Key>([^<]*)</Key>")
_MORE: Final = re.compile(rb"<NextContinuationToken>([^<]+)</NextContinuationToken>")
_OK, _MISSING, _CONFLICT, _THERE_ALREADY, _TOO_MANY, _BROKEN = 200, 404, 409, 412, 429, 500
_NO_OBJECT: Final = "NoSuchKey"


class NoAnswer(Exception):
    """Nothing is known; its text is a sentence for people."""


class Refused(Exception):
    """The store answered no; its text is a sentence for people."""


@dataclass(frozen=True)
class Account:
    """Which bucket of which store, and as whom we speak. `roots`: PEM of who vouches for it, else the system's."""

    endpoint: str
    region: str
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    roots: str | None = field(default=None, repr=False)


class Store(Protocol):
    """One bucket; the simulation has one of its own."""

    async def get(self, key: str) -> bytes | None:
        """What is there; None only where the store says that nothing is."""

    async def put_new(self, key: str, content: bytes) -> bool:
        """Put it where nothing is; False where something is, which is left as it is."""

    async def newest(self, folder: str) -> str | None:
        """The last key, by its letters, that begins with this."""


#: What is called to speak with a store: closed at the end of one pass.
Connect = Callable[[Account], AbstractAsyncContextManager[Store]]


@dataclass(frozen=True)
class Request:
    """What is to be signed. `path` and `query` as they are sent; headers by their small names."""

    method: str
    host: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    digest: str = EMPTY


def signed(request: Request, account: Account, now: datetime) -> dict[str, str]:
    """The headers with which the store knows that it is us (AWS Signature Version 4)."""
    moment = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    day = moment[:8]
    headers = {
        **request.headers,
        "host": request.host,
        "x-amz-content-sha256": request.digest,
        "x-amz-date": moment,
    }
    listed = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = f"{request.method}\n{request.path}\n{request.query}\n{lines}\n{listed}\n{request.digest}"
    scope = f"{day}/{account.region}/s3/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{account.secret_key}".encode()
    for word in (day, account.region, "s3", "aws4_request"):
        key = hmac.digest(key, word.encode(), hashlib.sha256)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    who = f"Credential={account.access_key}/{scope},SignedHeaders={listed},Signature={signature}"
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 {who}"}


def query(words: Mapping[str, str]) -> str:
    """A query as it is signed: by name, everything but letters and digits encoded."""
    return "&".join(f"{quote(name, safe='')}={quote(words[name], safe='')}" for name in sorted(words))


@asynccontextmanager
async def connect(account: Account) -> AsyncIterator[Store]:
    """A connection that lives for a pass."""
    trust: ssl.SSLContext | bool = True
    if account.roots is not None:
        try:
            trust = ssl.create_default_context(cadata=account.roots)
        except (ssl.SSLError, ValueError):
            raise Refused("the certificates that should vouch for the store are none") from None
    timeout = aiohttp.ClientTimeout(total=BOUND)
    connector = aiohttp.TCPConnector(limit=2, ssl=trust)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=False) as session:
        yield _Bucket(session, account)


class _Bucket:
    """The questions over HTTP, mapped to the two ways to fail."""

    def __init__(self, session: aiohttp.ClientSession, account: Account) -> None:
        self._session = session
        self._account = account

    async def get(self, key: str) -> bytes | None:
        status, body = await self._ask("GET", key)
        if status == _MISSING and _code(body) == _NO_OBJECT:
            return None
        return _accepted("read", status, body)

    async def put_new(self, key: str, content: bytes) -> bool:
        # Buckets with object lock take nothing without a checksum.
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        headers = {"if-none-match": "*", "x-amz-checksum-sha256": checksum}
        status, body = await self._ask("PUT", key, content=content, headers=headers)
        if status == _THERE_ALREADY:
            return False
        _accepted("write", status, body)
        return True

    async def newest(self, folder: str) -> str | None:
        found: list[str] = []
        words = {"list-type": "2", "prefix": folder}
        for _ in range(PAGES_MOST):
            body = _accepted("list", *await self._ask("GET", "", words=words))
            found = [html.unescape(one.decode()) for one in _KEY.findall(body)] or found
            more = _MORE.search(body)
            if more is None:
                return max(found, default=None)
            words["continuation-token"] = html.unescape(more[1].decode())
        raise NoAnswer(f"the store lists more than {PAGES_MOST} pages of {folder}")

    async def _ask(
        self,
        method: str,
        key: str,
        *,
        content: bytes = b"",
        words: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        where = urlsplit(self._account.endpoint)
        path = quote(f"/{self._account.bucket}/{key}" if key else f"/{self._account.bucket}", safe="/-_.~")
        asked = query(words or {})
        digest = hashlib.sha256(content).hexdigest()
        request = Request(method, where.netloc, path, asked, headers or {}, digest)
        told = signed(request, self._account, datetime.now(UTC))
        try:
            # Encoded already: it must go out letter by letter as it was signed.
            url = URL(f"{where.scheme}://{where.netloc}{path}{asked and f'?{asked}'}", encoded=True)
            async with self._session.request(
                method, url, data=content or None, headers=told, allow_redirects=False
            ) as reply:
                return reply.status, await _read(reply.content)
        except TimeoutError:
            raise NoAnswer(f"the store did not answer within {BOUND:g} s") from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError):
            told_of = "nobody who is trusted vouches for the certificate that the store shows"
            raise NoAnswer(f"{told_of}: give the Secret of its authority as caSecret") from None
        except ValueError:
            raise Refused("endpoint or keys of the store are none that can be used") from None
        except (aiohttp.ClientError, OSError):
            # `from None`: aiohttp's own words would repeat the request.
            raise NoAnswer("the store cannot be reached") from None


async def _read(content: aiohttp.StreamReader) -> bytes:
    body = b""
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > BYTES_MOST:
            raise Refused(f"the store answers with more than {BYTES_MOST} bytes")
    return body


def _accepted(what: str, status: int, body: bytes) -> bytes:
    if status == _OK:
        return body
    said = _code(body) or f"HTTP {status}"
    if status >= _BROKEN or status in (_CONFLICT, _TOO_MANY):
        raise NoAnswer(f"the store is busy or broken ({said})")
    raise Refused(f"the store does not let the operator {what} there ({said})")


def _code(body: bytes) -> str | None:
    found = _CODE.search(body)
    return found[1].decode() if found else None
