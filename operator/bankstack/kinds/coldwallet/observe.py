"""What is true of a ColdWallet now: reads only, each bounded in time.

Secrets are opened here and nowhere else; what leaves this module says whether they
agree, never what they hold.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bankstack.clients import bitcoind as client
from bankstack.engine import manifests as m
from bankstack.engine.objects import (
    CONFIG_MAP,
    NETWORK_POLICY,
    OWNER_LABEL,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Manifest,
    Ref,
    by_ref,
)
from bankstack.engine.ports import Reader
from bankstack.kinds.coldwallet import children, credentials, descriptors, formers, names, rights, specter_secrets
from bankstack.kinds.coldwallet.descriptors import Pair
from bankstack.kinds.coldwallet.facts import STARTING, Chain, Facts, Place, Pod, Silent, Wallet
from bankstack.kinds.coldwallet.names import ColdWallet
from bankstack.kinds.coldwallet.scans import Scans

CHILDREN: Final = (
    PERSISTENT_VOLUME_CLAIM,
    CONFIG_MAP,
    SERVICE,
    NETWORK_POLICY,
    POD_DISRUPTION_BUDGET,
    STATEFUL_SET,
    SECRET,
    POD,
)

Secrets = Mapping[str, Mapping[str, bytes]]


async def observe(wallet: ColdWallet, reader: Reader, connect: client.Connect, scans: Scans) -> Facts:
    """All that a decision needs."""
    owned = {OWNER_LABEL: wallet.owner}
    found, given, retired = await asyncio.gather(
        asyncio.gather(*(reader.list(of, wallet.namespace, owned) for of in CHILDREN)),
        _given(wallet, reader),
        formers.declared(wallet, reader),
    )
    live = by_ref(one for listed in found[:-2] for one in listed)
    secret_manifests, pod_manifests = found[-2], found[-1]
    secrets = {one["metadata"]["name"]: m.opened(one) for one in secret_manifests}
    pods = tuple(map(_pod, pod_manifests))
    watched, unusable = _watched(wallet)
    account = _account(wallet, {**secrets, **given}, pods)
    chain, seen = await _asked(wallet, account, watched, connect)
    log_in = {**secrets, **given}.get(names.specter_admin(wallet), {})
    return Facts(
        live=live,
        watched=watched,
        unusable=unusable,
        secrets={one["metadata"]["name"]: one["metadata"]["uid"] for one in secret_manifests},
        credentials_intact=_intact(wallet, secrets),
        specter_secrets_intact=specter_secrets.intact(wallet, secrets),
        log_in_is_there=bool(log_in.get("username") and log_in.get("password")),
        pods=pods,
        chain=chain,
        wallet=seen,
        scan=scans.state(wallet.uid),
        formers=await formers.seen(retired, account, connect),
    )


async def account(wallet: ColdWallet, reader: Reader) -> client.Account | Silent:
    """As whom and where to speak with its bitcoind, from the Secret as it is now."""
    name = children.account(wallet, rights.OPERATOR)
    found = await reader.get(Ref(SECRET, name), wallet.namespace)
    return _as(wallet, name, m.opened(found) if found else {})


async def _given(wallet: ColdWallet, reader: Reader) -> Secrets:
    """Secrets that the user brings: those have no label of ours."""
    external = wallet.spec.external.credentials_secret if wallet.spec.external else None
    admin = wallet.spec.specter.admin_secret if wallet.spec.specter else None
    wanted = [name for name in (external, admin) if name]
    found = await asyncio.gather(*(reader.get(Ref(SECRET, name), wallet.namespace) for name in wanted))
    return {name: m.opened(one) for name, one in zip(wanted, found, strict=True) if one is not None}


def _watched(wallet: ColdWallet) -> tuple[Pair | None, str]:
    try:
        return descriptors.pair(wallet.spec), ""
    except descriptors.Unusable as error:
        return None, str(error)


def _intact(wallet: ColdWallet, secrets: Secrets) -> bool:
    users = {name: secrets.get(names.rpc_secret(wallet, name), {}) for name in rights.USERS}
    return credentials.intact(secrets.get(names.rpcauth(wallet)), users)


def _account(wallet: ColdWallet, secrets: Secrets, pods: tuple[Pod, ...]) -> client.Account | Silent:
    if wallet.spec.bitcoind is not None and not any(one.component == names.BITCOIND and one.ready for one in pods):
        trouble = next((f": {one.trouble}" for one in pods if one.component == names.BITCOIND and one.trouble), "")
        return Silent(STARTING, f"bitcoind's pod is not running yet{trouble}")
    name = children.account(wallet, rights.OPERATOR)
    return _as(wallet, name, secrets.get(name, {}))


def _as(wallet: ColdWallet, name: str, secret: Mapping[str, bytes]) -> client.Account | Silent:
    if not (secret.get("username") and secret.get("password")):
        cure = "create it, and this goes on by itself" if wallet.spec.external else "it is just being put back"
        what = f"Secret {name} with keys username and password is needed to ask bitcoind, and is not whole: {cure}"
        return Silent("CredentialsMissing", what)
    host, port = children.rpc_address(wallet)
    return client.Account(host, port, secret["username"].decode(), secret["password"].decode())


async def _asked(
    wallet: ColdWallet, account_: client.Account | Silent, watched: Pair | None, connect: client.Connect
) -> tuple[Chain | Silent, Wallet | Place | Silent]:
    if isinstance(account_, Silent):
        return account_, account_
    async with connect(account_) as bitcoind:
        try:
            chain = await _chain(bitcoind, external=wallet.spec.external is not None)
        except (client.NoAnswer, client.Refused) as error:
            return (silence := _silent(error)), silence
        try:
            return chain, await _wallet(bitcoind, names.watching(wallet), watched)
        except (client.NoAnswer, client.Refused) as error:
            return chain, _silent(error)


async def _chain(bitcoind: client.Bitcoind, *, external: bool) -> Chain:
    said = await bitcoind.chain()
    # Our own sends where we told it to; somebody else's has to be asked.
    ports = await bitcoind.zmq_ports() if external else {}
    return Chain(
        name=said.name,
        blocks=said.blocks,
        headers=said.headers,
        initial_download=said.initial_download,
        progress=said.progress,
        disk_bytes=said.disk_bytes,
        version=said.version,
        subversion=said.subversion,
        peers=said.peers,
        zmq_block_port=ports.get("pubrawblock"),
        zmq_tx_port=ports.get("pubrawtx"),
    )


async def _wallet(bitcoind: client.Bitcoind, name: str, watched: Pair | None) -> Wallet | Place:
    if name not in await bitcoind.wallets():
        return Place.UNLOADED if name in await bitcoind.wallets_on_disk() else Place.MISSING
    said = await bitcoind.wallet(name)
    address: str | None = None
    owns: bool | None = None
    if watched is not None and said.watched:
        address = await bitcoind.first_address(watched.receive)
        owns = await bitcoind.owns(name, address)
    return Wallet(
        private_keys=said.private_keys,
        receive=tuple(one.text for one in said.watched if not one.internal),
        change=tuple(one.text for one in said.watched if one.internal),
        scanned=said.scanned,
        balance_sat=said.balance_sat,
        utxos=await _utxos(bitcoind, name),
        first_address=address,
        owns_first=owns,
    )


async def _utxos(bitcoind: client.Bitcoind, name: str) -> int | None:
    try:
        return await bitcoind.utxos(name)
    except client.NoAnswer:
        return None


def _silent(error: client.NoAnswer | client.Refused) -> Silent:
    if isinstance(error, client.NoAnswer):
        return Silent(error.reason, error.what)
    return Silent("BitcoindRefused", str(error))


def _pod(manifest: Manifest) -> Pod:
    status: Mapping[str, Any] = manifest.get("status", {})
    conditions = {one["type"]: one for one in status.get("conditions", [])}
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    waiting = [one["state"]["waiting"] for one in containers if "waiting" in one.get("state", {})]
    scheduled = conditions.get("PodScheduled", {})
    trouble = next((_words(one) for one in waiting if one.get("reason") not in _ORDINARY), None)
    if scheduled.get("status") == "False":
        trouble = str(scheduled.get("message") or scheduled.get("reason"))
    return Pod(
        component=manifest["metadata"]["labels"]["app.kubernetes.io/name"],
        ready=conditions.get("Ready", {}).get("status") == "True" and "deletionTimestamp" not in manifest["metadata"],
        trouble=trouble,
    )


#: Every pod passes through these.
_ORDINARY: Final = ("PodInitializing", "ContainerCreating")


def _words(waiting: Mapping[str, str]) -> str:
    # The reason alone: the kubelet's message counts back-off seconds, and status would change with it.
    return str(waiting.get("reason", "waiting"))
