"""How an act reaches LND: its address, whom its certificate may be signed by, the macaroons' root key.

Read anew each time: an act keeps nothing of what the last one saw.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from bankstack.clients.lnd.client import Connect, Lightning
from bankstack.engine.finding import Finding, Interrupted, Transient
from bankstack.engine.objects import OWNER_LABEL, SECRET, Manifest, Ref, by_ref
from bankstack.engine.ports import Reader
from bankstack.kinds.lndnode import certificates, macaroons, names, sealed
from bankstack.kinds.lndnode.subject import LndNode


@asynccontextmanager
async def reached(node: LndNode, reader: Reader, connect: Connect) -> AsyncIterator[Lightning]:
    """Its LND, whose certificate any authority that the node has had may have signed."""
    async with connect(address(node), joined(await authorities(node, reader))) as lnd:
        yield lnd


@asynccontextmanager
async def asked(node: LndNode, reader: Reader, connect: Connect) -> AsyncIterator[tuple[Lightning, bytes, int]]:
    """Its LND, the root key of the macaroons by which it is asked, and which wallet is in use: one look tells all."""
    root, listed = await _secrets(node, reader)
    live, known = await asyncio.gather(_wallet(root, listed, node, reader), _authorities(listed, node, reader))
    async with connect(address(node), joined(known)) as lnd:
        yield lnd, macaroons.root_key(sealed.seed(live)), sealed.generation(root, listed)


async def authorities(node: LndNode, reader: Reader) -> dict[str, str]:
    """Whom LND's certificate may be signed by."""
    return await _authorities(await _listed(node, reader), node, reader)


async def _authorities(listed: Iterable[Manifest], node: LndNode, reader: Reader) -> dict[str, str]:
    given = certificates.given(node)
    place = names.authority_secret(node.name, given)
    children = by_ref(listed)
    signer = await reader.get(place, node.namespace) if given else children.get(place)
    return sealed.known_authorities(node, children, signer)


def joined(bundle: Mapping[str, str]) -> bytes:
    """Certificates as one file."""
    return "".join(bundle.values()).encode()


async def there(place: Ref, node: LndNode, reader: Reader) -> Manifest:
    """What was there when it was decided to act."""
    found = await reader.get(place, node.namespace)
    if found is None:
        raise Interrupted(Finding("SecretMissing", f"{place} is gone again: looked at anew", Transient()))
    return found


async def generation(node: LndNode, reader: Reader) -> int:
    """Which of its wallets is in use."""
    return sealed.generation(*await _secrets(node, reader))


async def wallet(node: LndNode, reader: Reader) -> Manifest:
    """The Secret of the wallet in use."""
    return await _wallet(*await _secrets(node, reader), node, reader)


async def root_key(node: LndNode, reader: Reader) -> bytes:
    """What the node's macaroons are made from."""
    return macaroons.root_key(sealed.seed(await wallet(node, reader)))


async def _wallet(root: Manifest | None, listed: Iterable[Manifest], node: LndNode, reader: Reader) -> Manifest:
    number = sealed.generation(root, listed)
    name = names.wallet(node.spec.wallet.secret, number)
    return root if root is not None and number == 1 else await there(Ref(SECRET, name), node, reader)


async def _secrets(node: LndNode, reader: Reader) -> tuple[Manifest | None, tuple[Manifest, ...]]:
    """The one that the spec names, and its own."""
    return await asyncio.gather(reader.get(Ref(SECRET, node.spec.wallet.secret), node.namespace), _listed(node, reader))


async def _listed(node: LndNode, reader: Reader) -> tuple[Manifest, ...]:
    return await reader.list(SECRET, node.namespace, {OWNER_LABEL: node.owner})


def address(node: LndNode) -> str:
    """Where its API is."""
    return f"{names.address(node.name, node.namespace)}:{names.RPC}"
