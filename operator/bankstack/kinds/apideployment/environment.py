"""What every component is told of the bank by its environment (pure), under the names that real bank APIs read.

Secrets come by reference only. A node's are optional: an API that cannot reach one
node still moves money between its customers, so its pods must be able to start.
"""

from typing import Final

from bankstack.engine.objects import CONFIG_MAP, SECRET, Manifest, Ref, digest
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.component import Component
from bankstack.kinds.apideployment.facts import Facts, Ledger
from bankstack.kinds.apideployment.names import Api

LND_PORT: Final = 10009
#: Keys of the Secret that an LndNode makes for the API.
LND_KEYS: Final = {"PUBKEY": "pubkey", "TLS": "tls_base64", "MACAROON": "admin_macaroon_base64"}
MODE_FOLDER: Final = "/run/bankstack/mode"
LEDGER_FOLDER: Final = "/run/bankstack/ledger"


def variables(api: Api, facts: Facts) -> list[Manifest]:
    """All that the operator sets."""
    return [
        *_network(facts),
        *_ledger(api, facts),
        *_redis(api),
        *(one for number in range(len(api.spec.lightning or [])) for one in _lnd(api, facts, number)),
        _plain("BANKSTACK_MODE_FILE", f"{MODE_FOLDER}/mode"),
    ]


def own(component: Component) -> list[Manifest]:
    """What the user sets. An empty value is left out: the API server drops it, and we would never own it."""
    told = [one.model_dump(by_alias=True, exclude_none=True) for one in component.env or []]
    return [{key: value for key, value in one.items() if value} for one in told]


def is_known(api: Api, facts: Facts) -> bool:
    """Whether all of it can be said. Pods are never rolled onto less than they were started with."""
    secret = facts.ledger.secret if facts.ledger else None
    ledger = secret is not None and Ref(SECRET, secret) in facts.contents
    return ledger and (bool(networks(facts)) or not (api.spec.lightning or api.spec.cold_wallet))


def networks(facts: Facts) -> tuple[str, ...]:
    """The chains of everything that the API is given: one, or a mistake."""
    told = (*facts.nodes.values(), facts.chain)
    return tuple(sorted({one.network for one in told if one and one.network}))


def read(api: Api, component: Component, facts: Facts) -> tuple[Ref, ...]:
    """Every Secret and ConfigMap that the component reads."""
    return (*given(api, facts), *brought(component))


def given(api: Api, facts: Facts) -> tuple[Ref, ...]:
    """Those that the operator refers to."""
    ledger = facts.ledger or Ledger()
    nodes = (names.lnd_secret(one.node) for one in api.spec.lightning or [])
    authority = (Ref(CONFIG_MAP, ledger.authority),) if ledger.authority else ()
    return (*(Ref(SECRET, one) for one in (ledger.secret, *nodes) if one), redis_password(api), *authority)


def brought(component: Component) -> tuple[Ref, ...]:
    """Those that the user refers to."""
    return tuple(dict.fromkeys((*(ref for ref, _key in keys(component)), *whole(component))))


def keys(component: Component) -> tuple[tuple[Ref, str], ...]:
    """Single keys that the user refers to."""
    found = []
    for one in component.env or []:
        if one.value_from and (secret := one.value_from.secret_key_ref):
            found.append((Ref(SECRET, secret.name), secret.key))
        if one.value_from and (config := one.value_from.config_map_key_ref):
            found.append((Ref(CONFIG_MAP, config.name), config.key))
    return tuple(found)


def whole(component: Component) -> tuple[Ref, ...]:
    """Objects that the user refers to as a whole."""
    mounted = [
        Ref(SECRET, one.secret) if one.secret else Ref(CONFIG_MAP, str(one.config_map))
        for one in component.volumes or []
        if one.secret or one.config_map
    ]
    return (*whole_variables(component), *mounted)


def whole_variables(component: Component) -> tuple[Ref, ...]:
    """Objects of which every key is a variable."""
    found: list[Ref] = []
    for one in component.env_from or []:
        if one.secret_ref:
            found.append(Ref(SECRET, one.secret_ref.name))
        if one.config_map_ref:
            found.append(Ref(CONFIG_MAP, one.config_map_ref.name))
    return tuple(found)


def credentials(api: Api, component: Component, facts: Facts, last: str | None) -> str:
    """Changes when something that the component reads does: by version, never by content.

    While one is missing it stays as it was: to be rolled onto a gap is worse than to wait.
    """
    refs = read(api, component, facts)
    if last is not None and any(ref not in facts.contents for ref in refs):
        return last
    return digest({str(ref): facts.contents[ref].version for ref in refs if ref in facts.contents})


def redis_password(api: Api) -> Ref:
    """Where Redis' password for components is."""
    external = api.spec.redis.external
    return Ref(SECRET, external.password_secret) if external else names.redis_api(api)


def _network(facts: Facts) -> list[Manifest]:
    found = networks(facts)
    return [_plain("NETWORK", found[0])] if found else []


def _ledger(api: Api, facts: Facts) -> list[Manifest]:
    ledger, use = facts.ledger or Ledger(), api.spec.ledger
    secret = str(ledger.secret)
    address = [_plain("MONGODB_ADDRESS", ",".join(ledger.hosts))] if ledger.hosts else []
    found = [*address, _plain("MONGODB_USER", use.user), _secret("MONGODB_PASSWORD", secret, "password")]
    content = facts.contents.get(Ref(SECRET, secret))
    if ledger.authority is None and content and "uri" in content.keys:
        return [*found, _secret("MONGODB_CON", secret, "uri")]
    # The kubelet puts the password in: it stands in no manifest. What signs the ledger's certificate is told here,
    # because a Secret's own string cannot know where it is mounted.
    return [*found, _plain("MONGODB_CON", _connection(ledger, use.database))]


def _connection(ledger: Ledger, database: str) -> str:
    options = {
        "replicaSet": ledger.replica_set,
        "tls": "true" if ledger.tls else None,
        "tlsCAFile": f"{LEDGER_FOLDER}/ca.crt" if ledger.authority else None,
    }
    told = "&".join(f"{key}={value}" for key, value in options.items() if value)
    return f"mongodb://$(MONGODB_USER):$(MONGODB_PASSWORD)@{','.join(ledger.hosts)}/{database}?{told}"


def _redis(api: Api) -> list[Manifest]:
    sentinels, master = _sentinels(api)
    listed = [
        one
        for number, (host, port) in enumerate(sentinels)
        for one in (_plain(f"REDIS_{number}_DNS", host), _plain(f"REDIS_{number}_PORT", str(port)))
    ]
    return [
        _plain("REDIS_TYPE", "sentinel"),
        _plain("REDIS_MASTER_NAME", master),
        _secret("REDIS_PASSWORD", redis_password(api).name, "password"),
        *listed,
    ]


def _sentinels(api: Api) -> tuple[list[tuple[str, int]], str]:
    redis = api.spec.redis
    if redis.external:
        return [(one.host, one.port) for one in redis.external.sentinels], redis.external.master_name
    members = redis.managed.members if redis.managed else 0
    return [(names.member_host(api, number), names.SENTINEL_PORT) for number in range(members)], names.MASTER


def _lnd(api: Api, facts: Facts, number: int) -> list[Manifest]:
    use, prefix = (api.spec.lightning or [])[number], f"LND{number + 1}"
    secret, told = names.lnd_secret(use.node), facts.nodes.get(use.node)
    # Only where there are any: a node that was never replaced has the environment that it always had.
    former = [_plain(f"{prefix}_HISTORICAL_PUBKEYS", ",".join(told.retired))] if told and told.retired else []
    return [
        _plain(f"{prefix}_NAME", use.node),
        _plain(f"{prefix}_DNS", names.host(api, use.node)),
        _plain(f"{prefix}_RPCPORT", str(LND_PORT)),
        # In the order in which APIs compare it.
        _plain(f"{prefix}_TYPE", ",".join(role for role in ("onchain", "offchain") if role in use.roles)),
        *(_secret(f"{prefix}_{part}", secret, key, optional=True) for part, key in LND_KEYS.items()),
        *former,
    ]


def _plain(name: str, value: str) -> Manifest:
    return {"name": name, "value": value}


def _secret(name: str, secret: str, key: str, *, optional: bool = False) -> Manifest:
    selected: Manifest = {"name": secret, "key": key} | ({"optional": True} if optional else {})
    return {"name": name, "valueFrom": {"secretKeyRef": selected}}
