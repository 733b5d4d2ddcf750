"""A bitcoind in memory, at the level of its JSON: what the client and the kind read is as the real 29.5 words it."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bankstack.clients.bitcoind import BOUND, Account, Bitcoind, NoAnswer, Refused


@dataclass
class FakeWallet:
    private_keys: bool = False
    descriptors: list[dict[str, Any]] = field(default_factory=list)
    scanning: float | None = None
    coins: list[float] = field(default_factory=list)
    owns: bool = True


def address(descriptor: str) -> str:
    return "bcrt1q" + hashlib.sha256(descriptor.encode()).hexdigest()[:58]


class FakeBitcoind:
    """`accepts` has the passwords it was started with, by user; None takes any."""

    def __init__(self) -> None:
        self.chain: dict[str, Any] = {
            "chain": "regtest", "blocks": 101, "headers": 101, "initialblockdownload": False,
            "verificationprogress": 1.0, "size_on_disk": 30_000,
        }  # fmt: skip
        self.network: dict[str, Any] = {"version": 290500, "subversion": "/Satoshi:29.5.0/", "connections": 8}
        self.zmq = {"pubrawblock": 28332, "pubrawtx": 28333}
        self.on_disk: dict[str, FakeWallet] = {}
        self.loaded: set[str] = set()
        self.silence: NoAnswer | None = None
        self.refuses: dict[str, Refused | NoAnswer] = {}
        self.accepts: dict[str, str] = {}
        self.calls: list[str] = []

    @asynccontextmanager
    async def connect(self, account: Account) -> AsyncIterator[Bitcoind]:
        known = self.accepts.setdefault(account.username, account.password)
        if known != account.password:
            self.silence = NoAnswer("CredentialsRefused", "bitcoind does not accept the RPC user name and password")
        yield Bitcoind(self.call)

    def call(
        self, method: str, params: Sequence[object], wallet: str | None = None, bound: float = BOUND
    ) -> Awaitable[Any]:
        del bound
        return self._answer(method, list(params), wallet)

    async def _answer(self, method: str, params: list[Any], wallet: str | None) -> Any:  # noqa: ANN401 - JSON
        self.calls.append(method)
        if self.silence:
            raise self.silence
        if method in self.refuses:
            raise self.refuses[method]
        if wallet is None:
            return getattr(self, f"_{method}")(*params)
        if wallet not in self.loaded:
            raise Refused(method, -18, "Requested wallet does not exist or is not loaded")
        return getattr(self, f"_{method}")(self.on_disk[wallet], *params)

    def _getblockchaininfo(self) -> Any:  # noqa: ANN401
        return self.chain

    def _getnetworkinfo(self) -> Any:  # noqa: ANN401
        return self.network

    def _getzmqnotifications(self) -> Any:  # noqa: ANN401
        return [{"type": kind, "address": f"tcp://0.0.0.0:{port}", "hwm": 1000} for kind, port in self.zmq.items()]

    def _listwallets(self) -> Any:  # noqa: ANN401
        return sorted(self.loaded)

    def _listwalletdir(self) -> Any:  # noqa: ANN401
        return {"wallets": [{"name": name} for name in sorted(self.on_disk)]}

    def _deriveaddresses(self, descriptor: str, span: list[int]) -> Any:  # noqa: ANN401
        return [address(descriptor) for _ in range(span[0], span[1] + 1)]

    def _createwallet(self, name: str, *rest: object) -> Any:  # noqa: ANN401
        if name in self.on_disk:
            raise Refused("createwallet", -4, "Database already exists.")
        assert rest == (True, True, None, False, True, True)
        self.on_disk[name] = FakeWallet()
        self.loaded.add(name)
        return {"name": name}

    def _loadwallet(self, name: str, on_start: object) -> Any:  # noqa: ANN401
        assert on_start is True
        self.loaded.add(name)
        return {"name": name}

    def _getwalletinfo(self, wallet: FakeWallet) -> Any:  # noqa: ANN401
        scanning = {"duration": 1, "progress": wallet.scanning} if wallet.scanning is not None else False
        return {"private_keys_enabled": wallet.private_keys, "scanning": scanning}

    def _listdescriptors(self, wallet: FakeWallet) -> Any:  # noqa: ANN401
        return {"descriptors": wallet.descriptors}

    def _getbalances(self, wallet: FakeWallet) -> Any:  # noqa: ANN401
        return {"mine": {"trusted": sum(wallet.coins), "untrusted_pending": 0.0, "immature": 0.0}}

    def _listunspent(self, wallet: FakeWallet, least: int) -> Any:  # noqa: ANN401
        assert least == 0
        return [{"amount": one} for one in wallet.coins]

    def _getaddressinfo(self, wallet: FakeWallet, _address: str) -> Any:  # noqa: ANN401
        return {"ismine": wallet.owns}

    def _importdescriptors(self, wallet: FakeWallet, asked: list[dict[str, Any]]) -> Any:  # noqa: ANN401
        answers: list[dict[str, Any]] = []
        for one in asked:
            before = next((known for known in wallet.descriptors if known["desc"] == one["desc"]), None)
            if before and one.get("range", [0, 999])[1] < before["range"][1]:
                error = {"code": -8, "message": "new range must include current range = [0,1000]"}
                answers.append({"success": False, "error": error})
                continue
            kept = {"range": [0, 1000], "next_index": 7} | one
            wallet.descriptors = [known for known in wallet.descriptors if known is not before] + [kept]
            answers.append({"success": True})
        return answers
