"""How an act reaches LND: its address, whom its certificate may be signed by, the macaroons' root key.

Read anew each time: an act keeps nothing of what the last one saw.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
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
async def asked(node: LndNode, reader: Reader, connect: Connect) -> AsyncIterator[tuple[Lightning, bytes]]:
    """Its LND, and the root key of the macaroons by which it is asked: both ways to them are read side by side."""
    root, known = await asyncio.gather(root_key(node, reader), authorities(node, reader))
    async with connect(address(node), joined(known)) as lnd:
        yield lnd, root


async def authorities(node: LndNode, reader: Reader) -> dict[str, str]:
    """Whom LND's certificate may be signed by."""
    given = certificates.given(node)
    place = names.authority_secret(node.name, given)
    children = by_ref(await reader.list(SECRET, node.namespace, {OWNER_LABEL: node.owner}))
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
    return (await _root(node, reader))[1]


async def wallet(node: LndNode, reader: Reader) -> Manifest:
    """The Secret of the wallet in use."""
    root, number = await _root(node, reader)
    name = names.wallet(node.spec.wallet.secret, number)
    return root if root is not None and number == 1 else await there(Ref(SECRET, name), node, reader)


async def _root(node: LndNode, reader: Reader) -> tuple[Manifest | None, int]:
    root, listed = await asyncio.gather(
        reader.get(Ref(SECRET, node.spec.wallet.secret), node.namespace),
        reader.list(SECRET, node.namespace, {OWNER_LABEL: node.owner}),
    )
    return root, sealed.generation(root, listed)


async def root_key(node: LndNode, reader: Reader) -> bytes:
    """What the node's macaroons are made from."""
    return macaroons.root_key(sealed.seed(await wallet(node, reader)))


def address(node: LndNode) -> str:
    """Where its API is."""
    return f"{names.address(node.name, node.namespace)}:{names.RPC}"
