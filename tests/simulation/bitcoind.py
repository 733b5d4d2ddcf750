"""bitcoind as a ColdWallet sees it: JSON-RPC over a data directory that outlives the process.

It lets in only whom its rpcauth file proves, and only to what its whitelist names.
"""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bankstack.clients import bitcoind as client
from bankstack.kinds.coldwallet import credentials

from .line import Line
from .pods import Mounts, Process, Software

NOT_FOUND, WALLET_ERROR, INVALID = -18, -4, -8
#: Index of the last address that is watched ahead.
KEYPOOL = 999
CHAINS = {"main": "bc", "test": "tb", "signet": "tb", "regtest": "bcrt"}


@dataclass
class Watching:
    """One wallet on disk."""

    private_keys: bool = False
    descriptors: list[dict[str, Any]] = field(default_factory=list)
    coins_sat: list[int] = field(default_factory=list)
    at_start: bool = True


@dataclass
class Disk:
    """A data directory."""

    wallets: dict[str, Watching] = field(default_factory=dict)


class BitcoindProcess:
    """One run of bitcoind."""

    def __init__(self, disk: Disk, mounted: Mounts) -> None:
        self.disk = disk
        lines = mounted.secrets["rpcauth"].get(credentials.RPCAUTH, b"").decode().splitlines()
        self._accounts = [one.removeprefix("rpcauth=") for one in lines]
        conf = mounted.files["config"]["bitcoin.conf"].splitlines()
        self.chain = next(one.removeprefix("chain=") for one in conf if one.startswith("chain="))
        allowed = (one.removeprefix("rpcwhitelist=").partition(":") for one in conf if one.startswith("rpcwhitelist="))
        self._allowed = {user: set(calls.split(",")) for user, _, calls in allowed}
        self.loaded = {name for name, wallet in disk.wallets.items() if wallet.at_start}

    def tick(self) -> bool:
        return False

    def answer(self, account: client.Account, method: str, params: Sequence[Any], wallet: str | None) -> Any:  # noqa: ANN401 - JSON
        password = account.password.encode()
        if not any(credentials.proves(one, account.username, password) for one in self._accounts):
            raise client.NoAnswer("CredentialsRefused", "bitcoind does not accept the RPC user name and password")
        if method not in self._allowed.get(account.username, set()):
            raise client.NoAnswer("NotAllowed", f"bitcoind does not let this RPC user call {method}, or not from here")
        if wallet is None:
            return getattr(self, f"_{method}")(*params)
        if wallet not in self.loaded:
            raise client.Refused(method, NOT_FOUND, "Requested wallet does not exist or is not loaded")
        return getattr(self, f"_{method}")(self.disk.wallets[wallet], *params)

    def _getblockchaininfo(self) -> Any:  # noqa: ANN401 - JSON, here and below
        return {
            "chain": self.chain, "blocks": 100, "headers": 100, "initialblockdownload": False,
            "verificationprogress": 1.0, "size_on_disk": 1000,
        }  # fmt: skip

    def _getnetworkinfo(self) -> Any:  # noqa: ANN401
        return {"version": 290500, "subversion": "/Satoshi:29.5.0/", "connections": 8}

    def _listwallets(self) -> list[str]:
        return sorted(self.loaded)

    def _listwalletdir(self) -> Any:  # noqa: ANN401
        return {"wallets": [{"name": name} for name in sorted(self.disk.wallets)]}

    def _createwallet(self, name: str, no_keys: bool, _blank: bool, *rest: Any) -> Any:  # noqa: ANN401, FBT001
        if name in self.disk.wallets:
            raise client.Refused("createwallet", WALLET_ERROR, "Database already exists.")
        self.disk.wallets[name] = Watching(private_keys=not no_keys, at_start=bool(rest[-1]))
        self.loaded.add(name)
        return {"name": name}

    def _loadwallet(self, name: str, at_start: bool) -> Any:  # noqa: ANN401, FBT001
        if name not in self.disk.wallets:
            raise client.Refused("loadwallet", NOT_FOUND, "Path does not exist.")
        self.disk.wallets[name].at_start = at_start
        self.loaded.add(name)
        return {"name": name}

    def _getwalletinfo(self, wallet: Watching) -> Any:  # noqa: ANN401
        return {"private_keys_enabled": wallet.private_keys, "scanning": False}

    def _listdescriptors(self, wallet: Watching) -> Any:  # noqa: ANN401
        return {"descriptors": wallet.descriptors}

    def _getbalances(self, wallet: Watching) -> Any:  # noqa: ANN401
        return {"mine": {"trusted": sum(wallet.coins_sat) / client.SAT, "untrusted_pending": 0, "immature": 0}}

    def _listunspent(self, wallet: Watching, _confirmations: int) -> Any:  # noqa: ANN401
        return [{"amount": coin / client.SAT} for coin in wallet.coins_sat]

    def _importdescriptors(self, wallet: Watching, asked: list[dict[str, Any]]) -> Any:  # noqa: ANN401
        return [self._imported(wallet, one) for one in asked]

    def _imported(self, wallet: Watching, asked: dict[str, Any]) -> dict[str, Any]:
        known = next((one for one in wallet.descriptors if one["desc"] == asked["desc"]), None)
        last = asked.get("range", [0, KEYPOOL])[1]
        if known and last < known["range"][1]:
            told = f"new range must include current range = {known['range']}"
            return {"success": False, "error": {"code": INVALID, "message": told}}
        made = {key: asked[key] for key in ("desc", "active", "internal", "timestamp")}
        made |= {"range": [0, last], "next_index": asked.get("next_index", 0)}
        wallet.descriptors = [one for one in wallet.descriptors if one is not known] + [made]
        return {"success": True}

    def _deriveaddresses(self, descriptor: str, _bounds: list[int]) -> list[str]:
        return [self._address(descriptor)]

    def _getaddressinfo(self, wallet: Watching, address: str) -> Any:  # noqa: ANN401
        return {"ismine": any(self._address(one["desc"]) == address for one in wallet.descriptors)}

    def _address(self, descriptor: str) -> str:
        return f"{CHAINS[self.chain]}1q{hashlib.sha256(descriptor.encode()).hexdigest()[:38]}"


class Bitcoinds:
    """The program, and all data directories by the life of their volume's claim."""

    component = "bitcoind"

    def __init__(self) -> None:
        self.disks: dict[str, Disk] = {}
        self.software: Software | None = None

    def start(self, mounted: Mounts) -> Process:
        return BitcoindProcess(self.disks.setdefault(mounted.claims["data"], Disk()), mounted)

    def connect(self, line: Line) -> client.Connect:
        """How an operator process reaches them."""

        @asynccontextmanager
        async def connected(account: client.Account) -> AsyncIterator[client.Bitcoind]:
            async def call(
                method: str, params: Sequence[object], wallet: str | None = None, bound: float = client.BOUND
            ) -> Any:  # noqa: ANN401 - JSON
                del bound
                return await line.call(
                    f"bitcoind {method}", lambda _: self._reach(account).answer(account, method, params, wallet), silent
                )

            yield client.Bitcoind(call)

        return connected

    def _reach(self, account: client.Account) -> BitcoindProcess:
        found = self.software.reach(account.host) if self.software else None
        if not isinstance(found, BitcoindProcess):
            raise client.NoAnswer("BitcoindUnreachable", "bitcoind cannot be reached")
        return found


def silent(_code: int) -> Exception:
    return client.NoAnswer("BitcoindSilent", "bitcoind did not answer within 5 s")
