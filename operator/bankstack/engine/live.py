"""What a kind's own action looks at once more, and how it writes only onto what it saw.

Between the look that a decision was made from and the write lies time in which
somebody else may have been there.
"""

from bankstack.engine.execute import foreign, is_ours
from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import Manifest, Ref
from bankstack.engine.ports import Reader, Subject


async def ours(place: Ref, subject: Subject, reader: Reader) -> Manifest | None:
    """The object now, None where there is none; NameTaken where it is somebody else's."""
    found = await reader.get(place, subject.namespace)
    if found is not None and not is_ours(found, subject):
        raise Interrupted(foreign(found))
    return found


def at_version(manifest: Manifest, live: Manifest | None) -> Manifest:
    """Only onto what was read: the API server refuses it where the object has changed since."""
    if live is None:
        return manifest
    seen = {key: live["metadata"][key] for key in ("uid", "resourceVersion")}
    return manifest | {"metadata": manifest["metadata"] | seen}
