"""What a ColdWallet does outside the cluster's ordinary objects: the only writes to bitcoind,
and the only place where secrets are made.

Each may be done twice. Secrets that hold something new are made in an order that is
safe at every point: what others are made from comes first, and is never replaced.
"""

import secrets
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from bankstack.clients import bitcoind as client
from bankstack.engine import manifests as m
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Finding, Interrupted, Policy, Stalled, Transient, Waiting
from bankstack.engine.live import all_ours, at_version, made
from bankstack.engine.objects import SECRET, Manifest, Ref
from bankstack.engine.ports import Act, Cluster
from bankstack.kinds.coldwallet import credentials, decide, descriptors, former, names, rights, specter_secrets
from bankstack.kinds.coldwallet.facts import Silent
from bankstack.kinds.coldwallet.names import BITCOIND, SPECTER, ColdWallet
from bankstack.kinds.coldwallet.observe import account
from bankstack.kinds.coldwallet.scans import Scans

#: Seconds that a pass waits for a scan: most have nothing to scan and end at once.
PATIENCE: Final = 3.0

Files = Mapping[str, bytes]


def acts(connect: client.Connect, scans: Scans, patience: float) -> dict[str, Act]:
    """This kind's own actions, by name."""
    at = _Bitcoinds(connect, scans, patience)
    return {
        decide.MEND_CREDENTIALS: mend_credentials,
        decide.MEND_SPECTER_SECRETS: mend_specter_secrets,
        decide.CREATE_WALLET: at.create_wallet,
        decide.LOAD_WALLET: at.load_wallet,
        decide.WATCH: at.watch,
        former.WATCH_RETIRED: at.watch_retired,
    }


async def mend_credentials(wallet: ColdWallet, ask: Ask, cluster: Cluster) -> None:
    """Every RPC user's Secret and bitcoind's, from what is left of them."""
    del ask
    names_ = {user: names.rpc_secret(wallet, user) for user in rights.USERS}
    found = await _secrets((names.rpcauth(wallet), *names_.values()), wallet, cluster)
    source = found[names.rpcauth(wallet)]
    users = {user: m.opened(one) for user, name in names_.items() if (one := found[name])}
    kept = credentials.gathered(m.opened(source) if source else None, users)
    kept = credentials.complete(kept, _fresh)
    # bitcoind's first: it has every password, and the others are made from it.
    await _put(wallet, BITCOIND, (names.rpcauth(wallet), source), kept.bitcoinds(), cluster)
    for user, files in kept.users().items():
        await _put(wallet, BITCOIND, (names_[user], found[names_[user]]), files, cluster)


async def mend_specter_secrets(wallet: ColdWallet, ask: Ask, cluster: Cluster) -> None:
    """Specter's own Secret and the log-in, from what is left of them."""
    del ask
    found = await _secrets(specter_secrets.made(wallet), wallet, cluster)
    opened = {name: m.opened(one) for name, one in found.items() if one}
    for name, files in specter_secrets.complete(wallet, opened, _fresh).items():
        await _put(wallet, SPECTER, (name, found[name]), files, cluster)


async def _secrets(wanted: Sequence[str], wallet: ColdWallet, cluster: Cluster) -> dict[str, Manifest | None]:
    found = await all_ours((Ref(SECRET, name) for name in wanted), wallet, cluster)
    return dict(zip(wanted, found, strict=True))


def _fresh() -> bytes:
    return secrets.token_urlsafe(32).encode()


async def _put(
    wallet: ColdWallet, component: str, which: tuple[str, Manifest | None], files: Files, cluster: Cluster
) -> None:
    name, found = which
    manifest = m.secret(m.retained(wallet, component, name), files)
    if found is not None:
        if not credentials.holds(m.opened(found), files):
            await cluster.apply(at_version(manifest, found), wallet.namespace)
    else:
        await made(manifest, wallet, cluster)


class _Bitcoinds:
    """What is asked of a bitcoind."""

    def __init__(self, connect: client.Connect, scans: Scans, patience: float) -> None:
        self._connect = connect
        self._scans = scans
        self._patience = patience

    async def create_wallet(self, wallet: ColdWallet, ask: Ask, cluster: Cluster) -> None:
        """An empty wallet that can hold no key."""
        self._scans.forget(wallet.uid)
        async with self._asked(wallet, ask, cluster) as bitcoind:
            await bitcoind.create_wallet(ask.words["wallet"])

    async def load_wallet(self, wallet: ColdWallet, ask: Ask, cluster: Cluster) -> None:
        """Load it, now and at every start."""
        async with self._asked(wallet, ask, cluster) as bitcoind:
            await bitcoind.load_wallet(ask.words["wallet"])

    async def watch(self, wallet: ColdWallet, ask: Ask, cluster: Cluster) -> None:
        """Add the descriptors and search the chain for their coins from the birthday on.

        As soon as there is a bitcoind, also while it still fetches the chain: what comes
        later is then seen as it comes, and there is little or nothing to search.
        """
        as_whom = await self._as(wallet, cluster)

        async def asking() -> None:
            async with self._connect(as_whom) as bitcoind:
                known = (await bitcoind.wallet(ask.words["wallet"])).watched
                await bitcoind.watch(ask.words["wallet"], _imports(wallet, known))

        await self._scanned(wallet.uid, ask, asking())

    async def watch_retired(self, wallet: ColdWallet, ask: Ask, cluster: Cluster) -> None:
        """The addresses of a retired Lightning wallet, from its tombstone, in a wallet of their own."""
        stone = await cluster.get(Ref(SECRET, ask.words["secret"]), wallet.namespace)
        text = (m.opened(stone) if stone else {}).get(former.DESCRIPTORS, b"").decode()
        try:
            imports = former.imports(text, ask.words["since"], mainnet=wallet.spec.network == "mainnet")
        except descriptors.Unusable as error:
            told = f"Secret {ask.words['secret']}: {error}"
            raise Interrupted(Finding("RetiredUnwatched", told, Waiting())) from None
        as_whom, name = await self._as(wallet, cluster), ask.words["wallet"]

        async def asking() -> None:
            async with self._connect(as_whom) as bitcoind:
                await _loaded(bitcoind, name)
                known = (await bitcoind.wallet(name)).watched
                await bitcoind.watch(name, former.widened(imports, known))

        await self._scanned(f"{wallet.uid}/{name}", ask, asking())

    async def _scanned(self, key: str, ask: Ask, asking: Coroutine[Any, Any, None]) -> None:
        try:
            await self._scans.start(key, asking, self._patience)
        except (client.NoAnswer, client.Refused) as error:
            raise Interrupted(_finding(ask, error)) from None

    @asynccontextmanager
    async def _asked(self, wallet: ColdWallet, ask: Ask, cluster: Cluster) -> AsyncIterator[client.Bitcoind]:
        try:
            async with self._connect(await self._as(wallet, cluster)) as bitcoind:
                yield bitcoind
        except (client.NoAnswer, client.Refused) as error:
            raise Interrupted(_finding(ask, error)) from None

    async def _as(self, wallet: ColdWallet, cluster: Cluster) -> client.Account:
        found = await account(wallet, cluster)
        if isinstance(found, Silent):
            raise Interrupted(Finding(found.reason, found.what, Waiting()))
        return found


async def _loaded(bitcoind: client.Bitcoind, name: str) -> None:
    if name in await bitcoind.wallets():
        return
    if name in await bitcoind.wallets_on_disk():
        await bitcoind.load_wallet(name)
    else:
        await bitcoind.create_wallet(name)


def _finding(ask: Ask, error: client.NoAnswer | client.Refused) -> Finding:
    if isinstance(error, client.NoAnswer):
        return Finding(error.reason, f"{error.what}. The coins are safe: it is tried again", Transient())
    policy: Policy = Waiting() if error.code == client.BUSY else Stalled()
    return Finding(
        f"{ask.action}Refused",
        f"{error}. The balance of this wallet is not known until that is solved; the coins are safe",
        policy,
    )


def _imports(wallet: ColdWallet, known: Sequence[client.Watched]) -> list[client.Import]:
    pair, since = descriptors.pair(wallet.spec), _unix(wallet.spec.birthday)
    return [
        client.Import(text, internal, since, next((one for one in known if descriptors.same(one.text, text)), None))
        for text, internal in ((pair.receive, False), (pair.change, True))
    ]


def _unix(moment: str | None) -> int:
    """0 where no birthday is given: the whole chain."""
    return 0 if moment is None else int(datetime.fromisoformat(moment).timestamp())
