"""The mode over HTTP, for whoever has no file: scripts, load balancers, APIs of another namespace.

It is the operator's own small server that answers: who derives the mode can tell it
soonest, and a server beside each API would be one more thing to break. Any replica
does, leading or standing by, for all it does is read the ConfigMap. With no operator
at all the file in the pod is what remains, and nobody is there who could change it.
"""

from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Final

from bankstack.engine.finding import Interrupted
from bankstack.engine.objects import OWNER_LABEL
from bankstack.engine.ports import Reader
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.model import RESOURCE

PATH: Final = "/mode/{namespace}/{name}"
OK, NOT_FOUND, UNAVAILABLE = 200, 404, 503


def page(reader: Reader, namespaces: Container[str]) -> Callable[[Mapping[str, str]], Awaitable[tuple[int, str]]]:
    """What is answered for a path's namespace and name."""

    async def answer(asked: Mapping[str, str]) -> tuple[int, str]:
        if asked["namespace"] not in namespaces:
            return NOT_FOUND, "no bank of this operator is there\n"
        try:
            found = await reader.get(names.mode(asked["name"]), asked["namespace"])
        except Interrupted:
            return UNAVAILABLE, "the API server does not answer: what was said last stands\n"
        # Who asks for another ConfigMap gets nothing of it.
        if found is None or found["metadata"].get("labels", {}).get(OWNER_LABEL) != f"{RESOURCE.kind}.{asked['name']}":
            return NOT_FOUND, "no ApiDeployment of that name has a mode\n"
        return OK, str(found["data"]["mode.json"]) + "\n"

    return answer
