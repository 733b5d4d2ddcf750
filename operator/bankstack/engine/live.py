"""What a kind's own action looks at once more, and how it writes only onto what it saw.

Between the look that a decision was made from and the write lies time in which
somebody else may have been there.
"""

import asyncio
from collections.abc import Iterable

from bankstack.engine.execute import foreign, is_ours
from bankstack.engine.finding import Finding, Interrupted, Waiting
from bankstack.engine.objects import Manifest, Ref, ref
from bankstack.engine.ports import Cluster, Reader, Subject


async def ours(place: Ref, subject: Subject, reader: Reader) -> Manifest | None:
    """The object now, None where there is none; NameTaken where it is somebody else's."""
    found = await reader.get(place, subject.namespace)
    if found is not None and not is_ours(found, subject):
        raise Interrupted(foreign(found))
    return found


async def all_ours(places: Iterable[Ref], subject: Subject, reader: Reader) -> tuple[Manifest | None, ...]:
    """The same for each of these, in their order; all are asked for before any is written."""
    return tuple(await asyncio.gather(*(ours(place, subject, reader) for place in places)))


async def made(secret: Manifest, subject: Subject, cluster: Cluster) -> None:
    """Make a Secret that holds something new. Where another was quicker theirs stays, ours is thrown away."""
    if await cluster.create(secret, subject.namespace) is None:
        told = f"{ref(secret)} was just made by another: reading it"
        raise Interrupted(Finding("SecretAppeared", told, Waiting(1.0)))


def at_version(manifest: Manifest, live: Manifest | None) -> Manifest:
    """Only onto what was read: the API server refuses it where the object has changed since."""
    if live is None:
        return manifest
    seen = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    return manifest | {"metadata": manifest["metadata"] | seen}
