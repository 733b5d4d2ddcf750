"""bitcoind's JSON-RPC as typed answers. It decides nothing and keeps nothing between passes.

    async with connect(account) as bitcoind:
        chain = await bitcoind.chain()

Two ways to fail, and nothing else leaves this module:

    NoAnswer   nothing is known: unreachable, busy, still loading, or it does not let us in
    Refused    bitcoind answered no: its own code and words

Neither ever holds credentials; bitcoind's words are cut short, for they may repeat
what was sent.
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Protocol

import aiohttp

from bankstack.clients.dialing import absolute

#: Seconds for one question: law 3 says every probe ends.
BOUND: Final = 5.0
#: A rescan of a whole chain answers when it is done.
SCAN_BOUND: Final = 24 * 3600.0
SAT: Final = 100_000_000
WORDS_MOST: Final = 300

WARMING_UP: Final = -28
NOT_LOADED: Final = -18
BUSY: Final = -4


class NoAnswer(Exception):
    """Nothing is known. `reason` is a word for conditions, `what` a sentence for people."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason = reason
        self.what = what


class Refused(Exception):
    """bitcoind answered no."""

    def __init__(self, method: str, code: int, words: str) -> None:
        super().__init__(f"bitcoind refused {method} ({code}): {words[:WORDS_MOST]}")
        self.code = code
        self.words = words[:WORDS_MOST]


@dataclass(frozen=True)
class Account:
    """Where a bitcoind listens and as whom we speak."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Chain:
    """What bitcoind says of itself and its chain."""

    name: str
    blocks: int
    headers: int
    initial_download: bool
    progress: float
    disk_bytes: int
    version: int
    subversion: str
    peers: int


@dataclass(frozen=True)
class Watched:
    """One descriptor of a wallet: `text` with its checksum, as bitcoind words it; how far it is watched and used."""

    text: str
    internal: bool
    last_index: int
    next_index: int


@dataclass(frozen=True)
class Wallet:
    """A loaded wallet. `scanned` is the share of a running scan, None where none runs."""

    private_keys: bool
    watched: tuple[Watched, ...]
    scanned: float | None
    balance_sat: int


@dataclass(frozen=True)
class Import:
    """One descriptor to watch; `since` in Unix seconds, 0 for the whole chain.

    `before` where the wallet has it already: bitcoind refuses a smaller range, and
    would hand out used addresses again.
    """

    text: str
    internal: bool
    since: int
    before: Watched | None = None
    #: Where addresses were drawn elsewhere: so many of them are watched, and none is ever given out.
    last_index: int | None = None

    def request(self) -> dict[str, object]:
        """As importdescriptors takes it."""
        if self.last_index is not None:
            only_seen = {"desc": self.text, "active": False, "internal": self.internal, "timestamp": self.since}
            return only_seen | {"range": [0, self.last_index]}
        asked = {"desc": self.text, "active": True, "internal": self.internal, "timestamp": self.since}
        if self.before is None:
            return asked
        return asked | {"range": [0, self.before.last_index], "next_index": self.before.next_index}


class Transport(Protocol):
    """Carries one call; the simulation has one of its own."""

    def __call__(
        self, method: str, params: Sequence[object], wallet: str | None = None, bound: float = BOUND
    ) -> Awaitable[Any]:
        """The result. Raises NoAnswer or Refused."""


class Bitcoind:
    """Questions and the few commands, over any transport."""

    def __init__(self, call: Transport) -> None:
        self._call = call

    async def chain(self) -> Chain:
        """Chain and version, which are asked together: one without the other decides nothing."""
        chain, network = await asyncio.gather(self._call("getblockchaininfo", []), self._call("getnetworkinfo", []))
        return Chain(
            name=chain["chain"],
            blocks=chain["blocks"],
            headers=chain["headers"],
            initial_download=chain["initialblockdownload"],
            progress=float(chain["verificationprogress"]),
            disk_bytes=chain["size_on_disk"],
            version=network["version"],
            subversion=network["subversion"],
            peers=network["connections"],
        )

    async def zmq_ports(self) -> Mapping[str, int]:
        """Ports of its notifications by type, like pubrawblock."""
        found = await self._call("getzmqnotifications", [])
        return {one["type"]: int(str(one["address"]).rpartition(":")[2]) for one in found}

    async def wallets(self) -> tuple[str, ...]:
        """Wallets that are loaded."""
        return tuple(await self._call("listwallets", []))

    async def wallets_on_disk(self) -> tuple[str, ...]:
        """Wallets that exist, loaded or not."""
        return tuple(one["name"] for one in (await self._call("listwalletdir", []))["wallets"])

    async def wallet(self, name: str) -> Wallet:
        """A loaded wallet's own words."""
        about, listed, balances = await asyncio.gather(
            self._call("getwalletinfo", [], name),
            self._call("listdescriptors", [], name),
            self._call("getbalances", [], name),
        )
        scanning = about.get("scanning")
        mine = balances["mine"]
        return Wallet(
            private_keys=bool(about["private_keys_enabled"]),
            watched=tuple(
                Watched(
                    one["desc"], bool(one.get("internal", False)), one.get("range", [0, 0])[1], one.get("next_index", 0)
                )
                for one in listed["descriptors"]
            ),
            scanned=float(scanning["progress"]) if scanning else None,
            balance_sat=sum(sat(mine[part]) for part in ("trusted", "untrusted_pending", "immature")),
        )

    async def utxos(self, name: str) -> int:
        """How many coins there are. bitcoind lists them all, which takes its time where they are many."""
        return len(await self._call("listunspent", [0], name))

    async def first_address(self, descriptor: str) -> str:
        """What a ranged descriptor (with checksum) gives at index 0."""
        (address,) = await self._call("deriveaddresses", [descriptor, [0, 0]])
        return str(address)

    async def owns(self, name: str, address: str) -> bool:
        """Whether the wallet says that an address is its own."""
        return bool((await self._call("getaddressinfo", [address], name))["ismine"])

    async def create_wallet(self, name: str) -> None:
        """An empty wallet that can hold no private key, loaded now and at every start."""
        # name, disable_private_keys, blank, passphrase, avoid_reuse, descriptors, load_on_startup
        await self._call("createwallet", [name, True, True, None, False, True, True])

    async def load_wallet(self, name: str) -> None:
        """Load it now and at every start."""
        await self._call("loadwallet", [name, True])

    async def watch(self, name: str, imports: Sequence[Import]) -> None:
        """Add descriptors and scan the chain for them; answers when the scan is done, which may take hours.

        Raises Refused where any of them failed: the call itself succeeds all the same.
        """
        asked = [one.request() for one in imports]
        for answer in await self._call("importdescriptors", [asked], name, SCAN_BOUND):
            if not answer["success"]:
                error = answer["error"]
                raise Refused("importdescriptors", error["code"], error["message"])


def sat(bitcoins: Decimal | float) -> int:
    """Whole satoshis of an amount in bitcoins."""
    return int((Decimal(str(bitcoins)) * SAT).to_integral_value())


#: What is called to speak with a bitcoind: closed at the end of one pass.
Connect = Callable[[Account], AbstractAsyncContextManager[Bitcoind]]


@asynccontextmanager
async def connect(account: Account) -> AsyncIterator[Bitcoind]:
    """A connection that lives for a pass, or for one long scan."""
    connector = aiohttp.TCPConnector(limit=4, socket_factory=_kept_alive)
    token = base64.b64encode(f"{account.username}:{account.password}".encode()).decode()
    headers = {"Authorization": f"Basic {token}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers, trust_env=False) as session:
        yield Bitcoind(_Http(session, f"http://{bracketed(absolute(account.host))}:{account.port}"))


class _Http:
    """JSON-RPC over HTTP, mapped to the two ways to fail."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def __call__(
        self, method: str, params: Sequence[object], wallet: str | None = None, bound: float = BOUND
    ) -> Any:  # noqa: ANN401 - JSON
        url = f"{self._base}/wallet/{wallet}" if wallet else f"{self._base}/"
        body = {"method": method, "params": list(params)}
        try:
            timeout = aiohttp.ClientTimeout(total=bound, sock_connect=BOUND)
            async with self._session.post(url, json=body, timeout=timeout) as reply:
                return _result(method, reply.status, await reply.read())
        except TimeoutError:
            raise NoAnswer("BitcoindSilent", f"bitcoind did not answer {method} within {bound:g} s") from None
        except (aiohttp.ClientError, OSError):
            # `from None`: aiohttp's own words would repeat the request.
            raise NoAnswer("BitcoindUnreachable", "bitcoind cannot be reached") from None


def _result(method: str, status: int, body: bytes) -> Any:  # noqa: ANN401 - JSON
    if status == 401:  # noqa: PLR2004 - HTTP's own numbers
        raise NoAnswer("CredentialsRefused", "bitcoind does not accept the RPC user name and password")
    if status == 403:  # noqa: PLR2004
        raise NoAnswer("NotAllowed", f"bitcoind does not let this RPC user call {method}, or not from here")
    try:
        answer = json.loads(body, parse_float=Decimal)
        error = answer["error"]
    except (ValueError, KeyError, TypeError):
        raise NoAnswer("NotBitcoind", f"what answers on bitcoind's RPC port is not bitcoind (HTTP {status})") from None
    if error is None:
        return answer["result"]
    if error["code"] == WARMING_UP:
        raise NoAnswer("BitcoindLoading", f"bitcoind is starting: {str(error['message'])[:WORDS_MOST]}")
    raise Refused(method, int(error["code"]), str(error["message"]))


def _kept_alive(address: Any) -> socket.socket:  # noqa: ANN401 - aiohttp's tuple
    """A scan is silent for hours: a connection that died meanwhile must be noticed."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in ("TCP_KEEPIDLE", "TCP_KEEPINTVL"):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), 60)
    made.setblocking(False)  # noqa: FBT003 - socket's own signature
    return made


def bracketed(host: str) -> str:
    """A host as URLs have it."""
    return f"[{host}]" if ":" in host else host
