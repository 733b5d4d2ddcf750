"""How much of each thing that the API depends on is usable now, by its own word (pure)."""

from bankstack.clients.redis import Member, View
from bankstack.engine.finding import Unknown
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.facts import Facts, Ledger, Redis, Said, Told
from bankstack.kinds.apideployment.mode import Dependency, Needs, Standing
from bankstack.kinds.apideployment.names import Api

UP = Dependency(Standing.UP)


def of(api: Api, facts: Facts) -> Needs:
    """All of them."""
    nodes = {one.node: lightning(one.node, facts.nodes.get(one.node)) for one in api.spec.lightning or []}
    offchain = [one.node for one in api.spec.lightning or [] if "offchain" in one.roles]
    rest = [nodes[name] for name in nodes if name not in offchain]
    wallet = api.spec.cold_wallet
    return Needs(
        ledger(api, facts),
        redis(api, facts.redis),
        tuple(nodes[name] for name in offchain),
        (*rest, *([chain(wallet, facts.chain)] if wallet else [])),
    )


def ledger(api: Api, facts: Facts) -> Dependency:
    """Books that take entries, books that can be read, or none."""
    name, seen = api.spec.ledger.name, facts.ledger
    if seen is None:
        return Dependency(Standing.DOWN, f"LedgerCluster {name} is not there: there are no books. Make it")
    if seen.told.deleting:
        return Dependency(Standing.DOWN, f"LedgerCluster {name} is being deleted")
    if not seen.has_database:
        use = api.spec.ledger
        told = f"LedgerCluster {name} has no database {use.database} with user {use.user}: declare both there"
        return Dependency(Standing.DOWN, told)
    return _writable(name, seen)


def _writable(name: str, seen: Ledger) -> Dependency:
    # Of a MongoDB that others run nothing is written to prove it: what is seen of it has to do.
    said = seen.told.conditions.get("Writable") or seen.told.conditions.get("Ready")
    if said is None:
        return _silent(f"LedgerCluster {name} has not said yet whether it takes entries")
    if said.status == "True":
        return UP
    # Members that answer, and none of them is primary: that is an answer.
    if said.status == "Unknown" and not (said.reason == "NoPrimary" and seen.answers):
        return _silent(f"LedgerCluster {name} does not say whether it takes entries: {said.message}")
    return Dependency(Standing.PARTLY, f"LedgerCluster {name} takes no entries ({said.reason}): {said.message}")


def redis(api: Api, seen: Redis) -> Dependency:
    """Locks can be taken where most Sentinels name one master, and it is followed."""
    views = [one for one in seen.sentinels if isinstance(one, View)]
    if not views:
        why = next((one.reason for one in seen.sentinels if isinstance(one, Unknown)), "none was asked")
        return _silent(f"no Sentinel of Redis answers ({why})")
    host = elected(seen)
    if host is None:
        told = (
            "most Sentinels of Redis name no master that answers: no lock can be taken, so no money moves. Sentinel "
            "elects another by itself"
        )
        return Dependency(Standing.DOWN, told) if len(views) * 2 > len(seen.sentinels) else _silent(told)
    return UP if api.spec.redis.managed is None else _master(api, host, _at(api, seen, host))


def _master(api: Api, host: str, told: Member | Unknown) -> Dependency:
    if isinstance(told, Unknown):
        return _silent(f"Redis' master {host} does not answer ({told.reason}). Sentinel elects another by itself")
    if not told.is_master:
        return Dependency(Standing.DOWN, f"{host} was elected and is not master yet: no lock can be taken for seconds")
    if told.replicas >= followers(api):
        return UP
    return Dependency(
        Standing.DOWN,
        f"Redis' master {host} has {told.replicas} replicas in step of {followers(api)} it needs: it takes no lock, "
        "for a lock that only one member knows is lost with it. It goes on when another member follows",
    )


def _silent(told: str) -> Dependency:
    return Dependency(Unknown(told), told)


def elected(seen: Redis) -> str | None:
    """The master that a majority of Sentinels names and can reach; of several the newest."""
    views = [one for one in seen.sentinels if isinstance(one, View) and not one.is_down]
    hosts = {one.host for one in views}
    most = [host for host in hosts if sum(one.host == host for one in views) * 2 > len(seen.sentinels)]
    return most[0] if most else None


def followers(api: Api) -> int:
    """Replicas without which nothing is written."""
    managed = api.spec.redis.managed
    return managed.members // 2 if managed else 0


def _at(api: Api, seen: Redis, host: str) -> Member | Unknown:
    hosts = [names.member_host(api, number) for number in range(len(seen.members))]
    return seen.members[hosts.index(host)] if host in hosts else Unknown(f"{host} is no member of ours")


def lightning(name: str, told: Told | None) -> Dependency:
    """A node that pays and is paid, one that is only paid, or none."""
    if told is None:
        return Dependency(Standing.DOWN, f"LndNode {name} is not there: nothing is paid through it. Make it")
    if told.deleting:
        return Dependency(Standing.DOWN, f"LndNode {name} is being deleted: nothing is paid through it")
    if told.traffic is not None:
        return Dependency(Standing.DOWN, f"LndNode {name} is stopped by a ChangePlan: new payments leave it alone")
    if told.state == "SERVER_ACTIVE":
        return _synced(name, told.conditions.get("Synced"))
    ready = told.conditions.get("Ready")
    if ready is None or ready.status == "Unknown":
        return _silent(f"LndNode {name} has not said yet how it is")
    return Dependency(Standing.DOWN, f"LndNode {name} does not serve ({ready.reason}): {ready.message}")


def _synced(name: str, synced: Said | None) -> Dependency:
    if synced is None or synced.status == "Unknown":
        return _silent(f"LndNode {name} answers and has not said whether it follows the chain")
    if synced.status == "True":
        return UP
    return Dependency(
        Standing.PARTLY,
        f"LndNode {name} answers and is behind the chain ({synced.reason}): it is paid, it does not pay",
    )


def chain(name: str, told: Told | None) -> Dependency:
    """The bitcoind that the bank follows."""
    if told is None:
        return Dependency(Standing.DOWN, f"ColdWallet {name} is not there. Make it, or remove coldWallet")
    ready = told.conditions.get("ChainReady")
    if ready is None or ready.status == "Unknown":
        return _silent(f"ColdWallet {name} has not said whether its bitcoind follows the chain")
    if ready.status == "True":
        return UP
    return Dependency(Standing.DOWN, f"ColdWallet {name}: {ready.message}")
