import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from bankstack.clients import bitcoind
from bankstack.clients.bitcoind import Account, Bitcoind, Import, NoAnswer, Refused, Watched

PASSWORD = "planted-pass-7f3a"  # noqa: S105 - planted, to be looked for
KNOWN = Watched("b#2", internal=True, last_index=1000, next_index=3)
Handler = Callable[[web.Request], Any]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Bitcoind]:
    app = web.Application()
    app.router.add_post("/{tail:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port: int = runner.addresses[0][1]
        async with bitcoind.connect(Account("127.0.0.1", port, "operator", PASSWORD)) as found:
            yield found
    finally:
        await runner.cleanup()


def saying(status: int, body: object) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(status=status, text=text)

    return handler


def error(code: int, message: str) -> dict[str, object]:
    return {"result": None, "error": {"code": code, "message": message}}


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, "", "CredentialsRefused"),
        (403, "", "NotAllowed"),
        (500, error(-28, "Loading block index…"), "BitcoindLoading"),
        (200, "<html>", "NotBitcoind"),
        (200, [], "NotBitcoind"),
    ],
)
async def test_no_answer_has_a_reason_and_never_the_password(status: int, body: object, reason: str) -> None:
    async with serving(saying(status, body)) as found:
        with pytest.raises(NoAnswer) as caught:
            await found.wallets()
    assert caught.value.reason == reason
    assert PASSWORD not in repr(caught.value)


async def test_a_refusal_has_bitcoinds_code_and_its_words_cut_short() -> None:
    async with serving(saying(500, error(-4, "x" * 900))) as found:
        with pytest.raises(Refused) as caught:
            await found.wallets()
    assert (caught.value.code, len(caught.value.words)) == (-4, 300)


async def test_nobody_there_is_no_answer() -> None:
    async with bitcoind.connect(Account("127.0.0.1", 1, "operator", PASSWORD)) as found:
        with pytest.raises(NoAnswer) as caught:
            await found.wallets()
    assert (caught.value.reason, caught.value.__cause__) == ("BitcoindUnreachable", None)


async def test_a_probe_ends_although_bitcoind_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()

    async def handler(_request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with serving(handler) as found:
        call: Any = found._call  # noqa: SLF001 - the bound is the client's own: shortened here
        monkeypatch.setattr(found, "_call", lambda method, params: call(method, params, None, 0.05))
        with pytest.raises(NoAnswer, match=r"did not answer listwallets within 0\.05 s"):
            await found.wallets()
        release.set()


async def test_amounts_are_whole_satoshis_and_wallets_go_by_their_path() -> None:
    answers = {
        "getwalletinfo": {"private_keys_enabled": False, "scanning": {"duration": 3, "progress": 0.5}},
        "listdescriptors": {
            "descriptors": [
                {"desc": "a#1", "active": True, "internal": True, "range": [0, 1000], "next_index": 3},
                {"desc": "b#2", "active": False},
            ]
        },
        "getbalances": {"mine": {"trusted": 0.1, "untrusted_pending": 0.2, "immature": 0.00000001}},
        "listunspent": [{}, {}],
    }
    asked: list[tuple[str, str]] = []

    async def handler(request: web.Request) -> web.Response:
        method = (await request.json())["method"]
        asked.append((request.path, request.headers["Authorization"][:6]))
        return web.json_response({"result": answers[method], "error": None})

    async with serving(handler) as found:
        seen = await found.wallet("specter-bankstack/vault")
        utxos = await found.utxos("specter-bankstack/vault")
    assert (seen.balance_sat, utxos, seen.scanned) == (30_000_001, 2, 0.5)
    assert seen.watched == (
        Watched("a#1", internal=True, last_index=1000, next_index=3),
        Watched("b#2", internal=False, last_index=0, next_index=0),
    )
    assert set(asked) == {("/wallet/specter-bankstack/vault", "Basic ")}


async def test_an_import_fails_with_the_item_that_failed() -> None:
    answer = [{"success": True}, {"success": False, "error": {"code": -5, "message": "Missing checksum"}}]
    asked: list[Any] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append((await request.json())["params"])
        return web.json_response({"result": answer, "error": None})

    imports = [Import("a#1", internal=False, since=5), Import("b#2", internal=True, since=5, before=KNOWN)]
    async with serving(handler) as found:
        with pytest.raises(Refused, match=r"refused importdescriptors \(-5\): Missing checksum"):
            await found.watch("w", imports)
    assert asked == [
        [
            [
                {"desc": "a#1", "active": True, "internal": False, "timestamp": 5},
                {"desc": "b#2", "active": True, "internal": True, "timestamp": 5, "range": [0, 1000], "next_index": 3},
            ]
        ]
    ]


@pytest.mark.parametrize(
    ("bitcoins", "sats"), [(0.1, 10_000_000), (Decimal("20999999.9769"), 2_099_999_997_690_000), (0, 0)]
)
def test_no_satoshi_is_lost_in_a_float(bitcoins: Decimal | float, sats: int) -> None:
    assert bitcoind.sat(bitcoins) == sats


def test_an_account_does_not_show_its_password() -> None:
    assert PASSWORD not in repr(Account("h", 1, "operator", PASSWORD))


@pytest.mark.parametrize(("host", "url"), [("h.example", "h.example"), ("fd00::1", "[fd00::1]")])
def test_addresses_of_six_are_bracketed(host: str, url: str) -> None:
    assert bitcoind.bracketed(host) == url
