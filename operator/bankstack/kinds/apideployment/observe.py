"""What is true of an ApiDeployment now. Reads only; every question ends within seconds, all at once.

Secrets end here: what goes on is which version and which keys they have, never what
is in them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bankstack.clients import redis as client
from bankstack.clients.redis import Account, Member, View
from bankstack.engine import manifests
from bankstack.engine.execute import is_ours
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import OWNER_LABEL, POD, SECRET, Manifest, Ref, by_ref, uid
from bankstack.engine.ports import Reader
from bankstack.kinds.apideployment import accounts, environment, names
from bankstack.kinds.apideployment.components import workload
from bankstack.kinds.apideployment.facts import Content, Facts, Ledger, Redis, Said, Told
from bankstack.kinds.apideployment.names import Api

AskMember = Callable[[Account], Awaitable[Member | Unknown]]
AskAccount = Callable[[Account], Awaitable[bool | Unknown]]
AskSentinel = Callable[[Account, str], Awaitable[View | Unknown]]


@dataclass(frozen=True)
class Doors:
    """How Redis is reached: injected, so that a simulation can stand in for it."""

    member: AskMember
    sentinel: AskSentinel
    admits: AskAccount


DOORS: Final = Doors(client.member, client.view, client.admits)


async def observe(api: Api, reader: Reader, doors: Doors) -> Facts:
    """Everything decide may know."""
    (live, redis), (ledger, contents), nodes, chain = await asyncio.gather(
        _made(api, reader, doors), _read(api, reader), _nodes(api, reader), _chain(api, reader)
    )
    ours = {one: found for one, found in live.items() if one.type == SECRET}
    return Facts(
        children={one: found for one, found in live.items() if one.type != SECRET},
        secrets={one: uid(found) for one, found in ours.items()},
        accounts_intact=api.spec.redis.managed is None or accounts_are_intact(api, ours),
        ledger=ledger,
        nodes=nodes,
        chain=chain,
        contents=contents,
        redis=redis,
    )


async def _made(api: Api, reader: Reader, doors: Doors) -> tuple[dict[Ref, Manifest], Redis]:
    """All that was made for it, and what Redis among it says."""
    live = await _children(api, reader)
    return live, await _redis(api, live, reader, doors)


async def _read(api: Api, reader: Reader) -> tuple[Ledger | None, dict[Ref, Content]]:
    """The ledger, and what components read: where the Secret of its user is only the ledger tells."""
    ledger = await _ledger(api, reader)
    return ledger, await _contents(api, Facts(ledger=ledger), reader)


def accounts_are_intact(api: Api, ours: Mapping[Ref, Manifest]) -> bool:
    """Whether every password of Redis is where it should be."""
    return accounts.intact(*(_opened(ours.get(ref(api))) for ref in ACCOUNTS))


#: Servers', components' and everyone else's.
ACCOUNTS: Final = (names.redis_accounts, names.redis_api, names.redis_inner)


def _opened(secret: Manifest | None) -> dict[str, bytes] | None:
    return None if secret is None else manifests.opened(secret)


async def _children(api: Api, reader: Reader) -> dict[Ref, Manifest]:
    lists = await asyncio.gather(*(reader.list(of, api.namespace, {OWNER_LABEL: api.owner}) for of in names.CHILDREN))
    live = by_ref(one for found in lists for one in found)
    return live | by_ref(await _without_label(api, live, reader))


async def _without_label(api: Api, live: Mapping[Ref, Manifest], reader: Reader) -> list[Manifest]:
    """What keeps a singleton is missed only where it is not there by its name either: nobody else may start one."""
    missed = [one for each in api.spec.components if each.singleton and (one := workload(api, each)) not in live]
    found = await asyncio.gather(*(reader.get(one, api.namespace) for one in missed))
    return [one for one in found if one is not None and is_ours(one, api)]


async def _ledger(api: Api, reader: Reader) -> Ledger | None:
    use = api.spec.ledger
    found = await reader.get(Ref(names.LEDGER_CLUSTER, use.name), api.namespace)
    if found is None:
        return None
    status, endpoint = found.get("status", {}), found.get("status", {}).get("endpoint") or {}
    user = _named(_named(found["spec"].get("databases"), use.database).get("users"), use.user)
    return Ledger(
        told=told(found),
        answers=any(one.get("state") not in (None, "Unknown", "Empty") for one in status.get("members") or ()),
        hosts=tuple(endpoint.get("hosts") or ()),
        replica_set=endpoint.get("replicaSet"),
        tls=bool(endpoint.get("tls")),
        authority=endpoint.get("caConfigMap"),
        secret=use.secret or user.get("secret"),
        # Of a MongoDB that others run the users are theirs.
        has_database=bool(user) or "external" in found["spec"],
    )


def _named(some: Iterable[Mapping[str, Any]] | None, name: str) -> Mapping[str, Any]:
    return next((one for one in some or () if one.get("name") == name), {})


async def _nodes(api: Api, reader: Reader) -> dict[str, Told | None]:
    wanted = [one.node for one in api.spec.lightning or []]
    found = await asyncio.gather(*(reader.get(Ref(names.LND_NODE, name), api.namespace) for name in wanted))
    return {name: told(one) if one else None for name, one in zip(wanted, found, strict=True)}


async def _chain(api: Api, reader: Reader) -> Told | None:
    wallet = api.spec.cold_wallet
    found = await reader.get(Ref(names.COLD_WALLET, wallet), api.namespace) if wallet else None
    return told(found) if found else None


def told(manifest: Manifest) -> Told:
    """What another resource says of itself."""
    status = manifest.get("status", {})
    return Told(
        conditions={
            str(one.get("type")): Said(
                str(one.get("status")), str(one.get("reason", "")), str(one.get("message", ""))[:300]
            )
            for one in status.get("conditions", [])
        },
        network=manifest["spec"].get("network"),
        state=status.get("state"),
        deleting="deletionTimestamp" in manifest["metadata"],
        traffic=status.get("traffic"),
        retired=tuple(str(one["identityPubkey"]) for one in status.get("retired") or ()),
    )


async def _contents(api: Api, facts: Facts, reader: Reader) -> dict[Ref, Content]:
    wanted = {one for component in api.spec.components for one in environment.read(api, component, facts)}
    refs = sorted(wanted)
    found = await asyncio.gather(*(reader.get(one, api.namespace) for one in refs))
    return {ref: _content(one) for ref, one in zip(refs, found, strict=True) if one is not None}


def _content(manifest: Manifest) -> Content:
    meta = manifest["metadata"]
    keys = {key for part in ("data", "binaryData") for key in manifest.get(part) or {}}
    return Content(f"{meta['uid']}/{meta['resourceVersion']}", frozenset(keys))


async def _redis(api: Api, live: Mapping[Ref, Manifest], reader: Reader, doors: Doors) -> Redis:
    external = api.spec.redis.external
    if external is not None:
        secret = await reader.get(Ref(SECRET, external.password_secret), api.namespace)
        password = _password(secret, "password").strip()
        somewhere = [Account(one.host, one.port, None, password) for one in external.sentinels]
        return Redis((), tuple(await asyncio.gather(*(doors.sentinel(one, external.master_name) for one in somewhere))))
    managed = api.spec.redis.managed
    operators = _password(live.get(names.redis_inner(api)), accounts.OPERATOR)
    theirs = _password(live.get(names.redis_api(api)), "password")
    numbers = range(managed.members if managed else 0)
    members = asyncio.gather(*(_member(api, number, operators, live, doors) for number in numbers))
    views = asyncio.gather(*(_view(api, number, operators, live, doors) for number in numbers))
    admits = asyncio.gather(*(_admits(api, number, theirs, live, doors) for number in numbers))
    seen, heard, admitted = await asyncio.gather(members, views, admits)
    return Redis(tuple(seen), tuple(heard), tuple(admitted))


def _password(secret: Manifest | None, key: str) -> str:
    return (_opened(secret) or {}).get(key, b"").decode("utf-8", "replace")


async def _admits(
    api: Api, number: int, password: str, children: Mapping[Ref, Manifest], doors: Doors
) -> bool | Unknown:
    account = Account(names.member_host(api, number), names.REDIS_PORT, None, password)
    return _cannot(api, number, password, children) or await doors.admits(account)


async def _member(
    api: Api, number: int, password: str, children: Mapping[Ref, Manifest], doors: Doors
) -> Member | Unknown:
    account = Account(names.member_host(api, number), names.REDIS_PORT, accounts.OPERATOR, password)
    return _cannot(api, number, password, children) or await doors.member(account)


async def _view(api: Api, number: int, password: str, children: Mapping[Ref, Manifest], doors: Doors) -> View | Unknown:
    account = Account(names.member_host(api, number), names.SENTINEL_PORT, accounts.OPERATOR, password)
    return _cannot(api, number, password, children) or await doors.sentinel(account, names.MASTER)


def _cannot(api: Api, number: int, password: str, children: Mapping[Ref, Manifest]) -> Unknown | None:
    """Why it is not even asked: it would only cost the time until nobody answers."""
    pod = children.get(Ref(POD, names.member(api, number)))
    if pod is None or not pod.get("status", {}).get("podIP"):
        return Unknown("its pod does not run")
    return None if password else Unknown("its password is not there")
