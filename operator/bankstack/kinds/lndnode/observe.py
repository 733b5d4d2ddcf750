"""What is true of an LndNode now. Reads only; every question ends within seconds, all at once.

Secrets end here: what goes on is which keys they have, never what is in them. The
seed makes one macaroon for one set of questions and is forgotten.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from bankstack.engine import bitcoin, manifests
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import OWNER_LABEL, SECRET, Manifest, Ref, by_ref, uid
from bankstack.engine.ports import Reader, Sight, resource_type
from bankstack.kinds.coldwallet import model as coldwallet
from bankstack.kinds.lndnode import certificates, consumers, macaroons, names, pki, places, sealed, shelf
from bankstack.kinds.lndnode import users as who
from bankstack.kinds.lndnode.doors import Doors
from bankstack.kinds.lndnode.facts import Chain, Endpoint, Facts, Published, User
from bankstack.kinds.lndnode.questions import Answers, Visit, without_a_seed
from bankstack.kinds.lndnode.subject import LndNode

COLD_WALLET: Final = resource_type(coldwallet.RESOURCE)


@dataclass(frozen=True)
class _Way:
    """How LND is reached: its pod, PEM of the authorities that may vouch for it, and the wallet whose seed asks.

    `stored`: the channels that its backup has.
    """

    pod: Manifest | None
    roots: bytes
    wallet: Manifest | None
    stored: frozenset[str]


async def observe(node: LndNode, sight: Sight, doors: Doors) -> Facts:
    """Everything decide may know."""
    asked = asyncio.ensure_future(who.users(node, sight))
    itself, chain, users = await asyncio.gather(_itself(node, sight, doors, asked), _chain(node, sight), asked)
    endpoint = replace(chain.endpoint, domain=doors.domain) if chain.endpoint else None
    return replace(itself, chain=replace(chain, endpoint=endpoint), users=users)


async def _itself(node: LndNode, sight: Sight, doors: Doors, others: asyncio.Future[tuple[User, ...]]) -> Facts:
    """All but what others say. LND is asked as soon as it is known how, for its answers take the longest."""
    likely = node.status.generation or 1
    root, listed, authority, claim = await asyncio.gather(
        sight.get(Ref(SECRET, node.spec.wallet.secret), node.namespace),
        _listed(node, sight),
        _given_authority(node, sight),
        # By its name: one that lost its labels is still the volume, and must not be taken for lost.
        sight.get(names.volume(node.name, likely), node.namespace),
    )
    ours = {ref: one for ref, one in listed.items() if ref.type == SECRET}
    generation = sealed.generation(root, ours.values())
    if generation != likely:
        claim = await sight.get(names.volume(node.name, generation), node.namespace)
    wallet = await _wallet(node, generation, root, sight)
    live = listed | by_ref([claim] if claim else [])
    signer = authority if certificates.given(node) else ours.get(names.authority(node.name))
    read = sealed.authority(signer)
    trusted = sealed.known_authorities(node, ours, signer)
    children = {ref: one for ref, one in live.items() if ref.type != SECRET}
    backup = ours.get(names.channel_backup(node.name, generation))
    saved = sealed.backup(backup)
    roots, outpoints = "".join(trusted.values()).encode(), saved.outpoints if saved else frozenset()
    way = _Way(children.get(names.pod(node.name)), roots, wallet, outpoints)
    (shown, answers), stored_as, place = await asyncio.gather(
        _visit(node, way, doors, sight, others),
        shelf.look(node, backup, sight, doors),
        places.place(node, children, sight),
    )
    certificate = sealed.certificate(ours.get(names.certificate(node.name)), trusted)
    return Facts(
        children=children,
        secrets={ref: uid(one) for ref, one in ours.items() if not _is_kept(node, ref, generation)},
        generation=generation,
        noted=sealed.noted_generation(root) if root else None,
        tombstones=tuple(found for one in ours.values() if (found := sealed.tombstone(one))),
        wallet=sealed.wallet(wallet),
        authority=read,
        certificate=certificate,
        presented=(shown and pki.read_certificate(shown, trusted)) or Unknown("LND shows no certificate"),
        trusted=trusted,
        published=_published(node, ours),
        backup=saved,
        shelf=stored_as,
        place=place,
        state=answers.state,
        info=answers.info,
        funds=answers.funds,
        channels=answers.channels,
        recovering=answers.recovering,
        announced=answers.announced,
        sent_msat=answers.sent_msat,
        closures=answers.closures,
        transactions=answers.transactions,
    )


async def _wallet(node: LndNode, generation: int, root: Manifest | None, reader: Reader) -> Manifest | None:
    """The Secret of the wallet in use."""
    if generation == 1:
        return root
    return await reader.get(Ref(SECRET, names.wallet(node.spec.wallet.secret, generation)), node.namespace)


def _is_kept(node: LndNode, place: Ref, generation: int) -> bool:
    """Whether a Secret is of a retired identity: those go with nothing."""
    former = range(1, generation)
    kept = {names.wallet(node.spec.wallet.secret, one) for one in former}
    kept |= {names.channel_backup(node.name, one).name for one in former}
    return place.name in kept or place.name.startswith(names.tombstone(node.name, "").name)


async def _listed(node: LndNode, reader: Reader) -> dict[Ref, Manifest]:
    found = await asyncio.gather(*(reader.list(of, node.namespace, {OWNER_LABEL: node.owner}) for of in names.LISTED))
    return by_ref(one for some in found for one in some)


async def _given_authority(node: LndNode, reader: Reader) -> Manifest | None:
    given = certificates.given(node)
    return await reader.get(Ref(SECRET, given), node.namespace) if given else None


async def _chain(node: LndNode, reader: Reader) -> Chain:
    asked = node.spec.bitcoind
    if asked.cold_wallet is None:
        endpoint = Endpoint(
            host=str(asked.host),
            rpc_port=asked.rpc_port or bitcoin.RPC_PORTS[node.spec.network],
            zmq_block_port=asked.zmq_block_port or bitcoin.ZMQ_BLOCK_PORT,
            zmq_tx_port=asked.zmq_tx_port or bitcoin.ZMQ_TX_PORT,
            credentials_secret=str(asked.credentials_secret),
        )
        # Nothing of ours looks at this bitcoind: LND itself will tell.
        return Chain(endpoint, ready=True, credentials=await _credentials(node, reader, endpoint))
    wallet = await reader.get(Ref(COLD_WALLET, asked.cold_wallet), node.namespace)
    if wallet is None:
        return Chain(missing=True, ready=Unknown("there is no ColdWallet"))
    endpoint_told = _endpoint(wallet.get("status", {}).get("endpoint"))
    ready, told = _chain_ready(wallet)
    return Chain(
        endpoint_told,
        ready=ready,
        told=told,
        network=wallet["spec"].get("network"),
        retired_coins=_retired_coins(wallet),
        credentials=await _credentials(node, reader, endpoint_told) if endpoint_told else None,
    )


def _endpoint(told: Mapping[str, object] | None) -> Endpoint | None:
    """What a ColdWallet publishes; None where it is not all there."""
    if not told:
        return None
    try:
        return Endpoint(
            host=str(told["host"]),
            rpc_port=int(str(told["rpcPort"])),
            zmq_block_port=int(str(told["zmqBlockPort"])),
            zmq_tx_port=int(str(told["zmqTxPort"])),
            credentials_secret=str(told["credentialsSecret"]),
        )
    except (KeyError, ValueError):
        return None


def _chain_ready(wallet: Manifest) -> tuple[bool | Unknown, str]:
    found = _condition(wallet, "ChainReady")
    if found is None:
        return Unknown("its ColdWallet has not said whether the chain is ready"), ""
    told = str(found.get("message", ""))
    if found.get("status") == "Unknown":
        return Unknown(told), told
    return found.get("status") == "True", told


def _retired_coins(wallet: Manifest) -> tuple[str, str, str] | None:
    found = _condition(wallet, "RetiredCoins")
    return (str(found.get("status")), str(found.get("reason")), str(found.get("message", ""))) if found else None


def _condition(wallet: Manifest, of: str) -> Manifest | None:
    conditions: list[Manifest] = wallet.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one.get("type") == of), None)


async def _credentials(node: LndNode, reader: Reader, endpoint: Endpoint) -> frozenset[str] | None:
    found = await reader.get(Ref(SECRET, endpoint.credentials_secret), node.namespace)
    return None if found is None else frozenset(key for key, value in manifests.opened(found).items() if value)


async def _visit(
    node: LndNode, way: _Way, doors: Doors, sight: Sight, others: asyncio.Future[tuple[User, ...]]
) -> tuple[bytes | None, Answers]:
    """Ask LND, where there is one to ask."""
    # Before its first answer: a step is never held against what LND said before that step was written down, nor
    # payments counted that were on their way before an API gave its word. Who gives up waiting takes it from nobody.
    plan, _ = await asyncio.gather(sight.plan(), asyncio.shield(others))
    node = replace(node, plan=plan)
    if mute := _mute(way.pod):
        return None, Answers(mute, mute, mute, mute)
    host = names.address(node.name, node.namespace)
    shown, answers = await asyncio.gather(
        doors.presented(host, names.RPC), _ask(node, doors, f"{host}:{names.RPC}", way)
    )
    return shown, answers


def _mute(pod: Manifest | None) -> Unknown | None:
    """Why nobody is there to be asked."""
    if pod is None or not pod.get("status", {}).get("podIP"):
        return Unknown("its pod does not run")
    # Its address may already lead nowhere: each question would last its five seconds, and LND be away for as long.
    return Unknown("its pod is ending") if "deletionTimestamp" in pod["metadata"] else None


async def _ask(node: LndNode, doors: Doors, address: str, way: _Way) -> Answers:
    if not way.roots:
        nobody = Unknown("no authority is known that could vouch for it")
        return Answers(nobody, nobody, nobody, nobody)
    seed = sealed.seed(way.wallet) if way.wallet else None
    async with doors.connect(address, way.roots) as lnd:
        if not seed:
            return await without_a_seed(lnd)
        return await Visit(node, lnd, way.stored, macaroons.root_key(seed)).answers()


def _published(node: LndNode, ours: Mapping[Ref, Manifest]) -> dict[str, Published]:
    return {
        one.name: sealed.published(live, one)
        for one in consumers.CONSUMERS
        if (live := ours.get(names.consumer(node.name, one.name)))
    }
