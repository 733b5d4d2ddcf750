"""kopf's watches, and of kopf only these: no handler of it decides, writes, keeps or retries.

Events are never believed, only taken as "look at it". Secrets are watched without our
label, because a wallet or a password that a person makes later has to wake whoever
waits for it; Helm's releases, the one kind that is many and large, are left out by
the API server. Everything else is watched by our label.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import kopf

from bankstack.engine.loop import Loop
from bankstack.engine.objects import CHANGE_PLAN, OWNER_LABEL, PLAN_APPROVAL, SECRET, Type
from bankstack.engine.ports import Kind
from bankstack.engine.references import meant
from bankstack.kube.connection import Credentials

OURS: Final = "app.kubernetes.io/managed-by=bankstack"
NOT_HELMS: Final = "type!=helm.sh/release.v1"
BACKOFF_MOST: Final = 30.0


class Patience:
    """Seconds between two attempts to reach the API server: longer each time, capped, spread, never at an end.

    kopf's own patience ends after a minute, and the process with it.
    """

    def __iter__(self) -> Iterator[float]:
        for attempt in itertools.count():
            yield min(BACKOFF_MOST, 2.0 ** min(attempt, 8)) * random.uniform(0.8, 1.2)  # noqa: S311 - spread


def watched(kinds: Iterable[Kind]) -> Mapping[Type, str]:
    """Every type that is watched, with the labels asked for."""
    table = tuple(kinds)
    children = {child: OURS for kind in table for child in kind.children}
    return children | {kind.type: "" for kind in table} | {SECRET: "", CHANGE_PLAN: "", PLAN_APPROVAL: ""}


def settings(types: Mapping[Type, str]) -> kopf.OperatorSettings:
    """kopf, told to watch and do nothing else."""
    chosen = kopf.OperatorSettings()
    chosen.scanning.disabled = True  # no cluster-wide rights; CRDs are waited for by the roll call
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    chosen.persistence.finalizer = "bankstack.io/kopf-never-sets-this"
    chosen.persistence.diffbase_storage = kopf.AnnotationsDiffBaseStorage(prefix="bankstack.io")
    chosen.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix="bankstack.io", v1=False)
    chosen.networking.request_timeout = 30
    chosen.networking.connect_timeout = 10
    chosen.networking.error_backoffs = Patience()
    chosen.watching.client_timeout = 600
    chosen.watching.connect_timeout = 10
    chosen.watching.inactivity_timeout = 70
    chosen.watching.chunk_size = 200
    chosen.process.ultimate_exiting_timeout = 40
    for of, labels in types.items():
        group, _, version = of.api_version.rpartition("/")
        if labels:
            chosen.watching.label_selectors[group, version, of.plural] = labels
    chosen.watching.field_selectors["", "v1", SECRET.plural] = NOT_HELMS
    return chosen


def registry(loop: Loop, login: Callable[[], Awaitable[Credentials]]) -> kopf.OperatorRegistry:
    """One handler for each watched type: it wakes the loop."""
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def _login(**_: object) -> kopf.ConnectionInfo:
        found = await login()
        return kopf.ConnectionInfo(
            server=found.server,
            ca_path=found.ca_path,
            scheme=found.scheme,
            token=found.token,
            certificate_path=found.certificate_path,
            private_key_path=found.key_path,
        )

    for of in watched(loop.kinds):
        group, _, version = of.api_version.rpartition("/")
        kopf.on.event(group, version, of.plural, registry=handlers, id=of.plural)(_waker(loop, of))
    return handlers


def _waker(loop: Loop, of: Type) -> Callable[..., Awaitable[None]]:
    async def wake(namespace: str, name: str, meta: Mapping[str, Any], body: Mapping[str, Any], **more: object) -> None:
        about, called, targets = meant(of, name, body, loop.kinds)
        # Of an approval its plan is meant, which is another object, and one that went says nothing any more.
        live = None if about != of or more["type"] == "DELETED" else dict(body)
        loop.changed(about, namespace, called, (*owners(meta), *targets), live)

    return wake


def owners(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Whom an object was made for, by its label and by its controller: a person may have changed one of them."""
    label = meta.get("labels", {}).get(OWNER_LABEL)
    controllers = (f"{one['kind']}.{one['name']}" for one in meta.get("ownerReferences", ()) if one.get("controller"))
    return tuple(dict.fromkeys((*([label] if label else []), *controllers)))


async def watch(
    loop: Loop,
    namespaces: Iterable[str],
    login: Callable[[], Awaitable[Credentials]],
    started: Callable[[], None] = lambda: None,
) -> None:
    """Watch until cancelled. Returns or raises when watching is not possible any more: then end the process.

    Tasks that are to outlive it have to be there before it is called: at its end kopf
    cancels every task that was started later. `started` is called when kopf has taken
    the signals for itself, so that they can be taken back.
    """
    before = frozenset(asyncio.all_tasks())
    # Of no use without peering; left out, kopf would look for a user's name, which a container has none of.
    nobody: Any = "bankstack"
    tasks = await kopf.spawn_tasks(
        identity=nobody,
        registry=registry(loop, login),
        settings=settings(watched(loop.kinds)),
        namespaces=tuple(namespaces),
        standalone=True,
    )
    started()
    await kopf.run_tasks(tasks, ignored=before)
