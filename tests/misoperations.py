"""What people get wrong: each a change to a good sample and the sentence it must get.

One corpus for the API server (CEL, in the cluster) and for pydantic (in unit tests,
where the operator reads what an older CRD let through).
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
SAMPLES = Path(__file__).parent.parent / "manifests" / "samples"
#: Where each sample is kept.
FOLDERS = {
    "vault": "wallets",
    "lnd1": "wallets",
    "lnd2": "bank",
    "ledger": "ledger",
    "bank": "api",
    "restart-lnd1": "plans",
}
TPRV = "tprv8inEs9akMneqdaKBbMxxxnqfD8bs3jB7i1c5N7ivEGvEynsCQNsuV2cmSpbzQ9GJxLhqWVN2zCoKiX739Td3Xvy81oagDKGMgAx1kwPhPCy"
WIF = "cVpF924EspNh8KjYsfhgY96mmxvT6DgdWiTYMtMjuM74hJaU5psW"


def sample(name: str) -> Manifest:
    """A fresh copy of a good manifest: vault, lnd1, lnd2, ledger or bank."""
    return dict(yaml.safe_load((SAMPLES / FOLDERS[name] / f"{name}.yaml").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Case:
    """`change` turns the spec of `of` into something to be refused with words like `says`."""

    name: str
    of: str
    change: Callable[[Manifest], object]
    says: str

    def manifest(self) -> Manifest:
        changed = copy.deepcopy(sample(self.of))
        self.change(changed["spec"])
        return changed


def put(path: str, value: object) -> Callable[[Manifest], None]:
    """Set a field by its path, like `storage.size` or `multisig.keys.0.xpub`."""

    def change(spec: Manifest) -> None:
        *way, last = path.split(".")
        target: Any = spec
        for step in way:
            target = target[int(step)] if step.isdigit() else target.setdefault(step, {})
        target[last] = value

    return change


def drop_item(path: str, place: int) -> Callable[[Manifest], None]:
    """Remove an item of a list."""
    return lambda spec: spec[path].pop(place)


def drop(path: str) -> Callable[[Manifest], None]:
    """Remove a field by its path."""

    def change(spec: Manifest) -> None:
        *way, last = path.split(".")
        target: Any = spec
        for step in way:
            target = target[int(step)] if step.isdigit() else target[step]
        del target[last]

    return change


def both(*changes: Callable[[Manifest], None]) -> Callable[[Manifest], None]:
    def change(spec: Manifest) -> None:
        for one in changes:
            one(spec)

    return change


HOST = {"host": "bitcoind.example", "credentialsSecret": "rpc"}
STORE = {"endpoint": "https://s3.example.com:9000", "bucket": "backups", "credentialsSecret": "s3"}
XPUB = sample("vault")["spec"]["multisig"]["keys"][0]["xpub"]
PUBLIC = f"wpkh([113c3f0f/84h]{XPUB}/0/*)#abcdefgh"

EVEN = [{"region": "east", "count": 2}, {"region": "west", "count": 2}]
UNEVEN = [{"region": "east", "count": 2}, {"region": "west", "count": 1}]
API = {"name": "api", "secret": "ledger-api", "roles": ["readWrite"]}

#: Refused when they are made.
ON_CREATE = (
    Case("a private key as xpub", "vault", put("multisig.keys.0.xpub", TPRV), "xpub holds a PRIVATE key"),
    Case("half an xpub", "vault", put("multisig.keys.0.xpub", XPUB[:90]), "not an extended public key"),
    Case("one key twice", "vault", put("multisig.keys.1.xpub", XPUB), "has the same xpub twice"),
    Case("one name twice", "vault", put("multisig.keys.1.name", "ceo"), "Duplicate value"),
    Case("more signatures than signers", "vault", put("multisig.threshold", 4), "nobody could ever spend"),
    Case("no signature at all", "vault", put("multisig.threshold", 0), "greater than or equal to 1"),
    Case("no signers", "vault", put("multisig.keys", []), "at least 1 items"),
    Case("a fingerprint in capitals", "vault", put("multisig.keys.0.fingerprint", "113C3F0F"), "fingerprint"),
    Case("a path with m/", "vault", put("multisig.keys.0.derivation", "m/48h"), "derivation"),
    Case("mainnet unconfirmed", "vault", put("network", "mainnet"), "confirmMainnet: true"),
    Case("mainnet denied", "lnd1", both(put("network", "mainnet"), put("confirmMainnet", False)), "confirmMainnet: true"),
    Case("an unknown chain", "lnd1", put("network", "testnet9"), "Unsupported value"),
    Case("a wallet without a bitcoind", "vault", drop("bitcoind"), "either bitcoind (to run one) or external"),
    Case("two bitcoinds", "vault", put("external", HOST), "either bitcoind (to run one) or external"),
    Case("no signers, no descriptors", "vault", drop("multisig"), "either multisig or descriptors"),
    Case("signers and descriptors", "vault", put("descriptors", [PUBLIC, PUBLIC]), "either multisig or descriptors"),
    Case(
        "a private key in a descriptor", "vault",
        both(drop("multisig"), put("descriptors", [f"wpkh({TPRV}/0/*)", PUBLIC])), "descriptors hold a PRIVATE key",
    ),
    Case(
        "a single private key in a descriptor", "vault",
        both(drop("multisig"), put("descriptors", [PUBLIC, f"wpkh({WIF})"])), "descriptors hold a PRIVATE key",
    ),
    Case(
        "one descriptor", "vault", both(drop("multisig"), put("descriptors", [PUBLIC])), "at least 2 items",
    ),
    Case("Core 30.0", "vault", put("bitcoind.version", "30.0"), "30.0 and 30.1 can delete wallets"),
    Case("Core 30.1", "vault", put("bitcoind.version", "30.1"), "30.0 and 30.1 can delete wallets"),
    Case("a version with a v", "vault", put("bitcoind.version", "v29.5"), "bitcoind.version"),
    Case("an option of ours in bitcoin.conf", "vault", put("bitcoind.config", [{"key": "rpcauth"}]), "sets itself"),
    Case("another file into bitcoin.conf", "vault", put("bitcoind.config", [{"key": "includeconf", "value": "/data/x"}]), "sets itself"),
    Case("a section in bitcoin.conf", "vault", put("bitcoind.config", [{"key": "regtest.rpcauth", "value": "x"}]), "a section (regtest.x)"),
    Case("an option of ours denied", "vault", put("bitcoind.config", [{"key": "norpcwhitelist", "value": "1"}]), "a negation (noserver)"),
    Case("two lines in one", "vault", put("bitcoind.config", [{"key": "x", "value": "1\nrpcuser=me"}]), "value"),
    Case("a birthday without a time", "vault", put("birthday", "2026-01-01"), "birthday"),
    Case("a size that is none", "vault", put("bitcoind.storage.size", "many"), "size"),
    Case("half a gibibyte", "lnd1", put("storage.size", "0.5Gi"), "size"),
    Case("no storage", "lnd1", drop("storage"), "spec.storage"),
    Case("an unknown database", "lnd1", put("storage.backend", "mysql"), "Unsupported value"),
    Case("an lnd version without v", "lnd1", put("version", "0.21.2-beta"), "spec.version"),
    Case("an option of ours in lnd.conf", "lnd1", put("config", [{"key": "noseedbackup", "value": "true"}]), "sets itself"),
    Case("another chain in lnd.conf", "lnd1", put("config", [{"key": "bitcoin.mainnet", "value": "1"}]), "sets itself"),
    Case("two bitcoinds to follow", "lnd1", put("bitcoind.host", "b"), "either coldWallet or host"),
    Case("no bitcoind to follow", "lnd1", put("bitcoind", {}), "either coldWallet or host"),
    Case("a host without credentials", "lnd1", put("bitcoind", {"host": "b"}), "needs credentialsSecret"),
    Case("a port for a ColdWallet", "lnd1", put("bitcoind.rpcPort", 8332), "go with host"),
    Case("a port that is none", "lnd1", put("bitcoind", HOST | {"rpcPort": 70000}), "less than or equal to 65535"),
    Case("a secret's name with a slash", "lnd1", put("wallet.secret", "ns/lnd1"), "wallet.secret"),
    Case("an unknown service type", "lnd1", put("p2p", {"service": {"type": "Anycast"}}), "Unsupported value"),
    Case("an object store without a bucket", "lnd1", put("channelBackup.objectStore", {k: v for k, v in STORE.items() if k != "bucket"}), "bucket"),
    Case("an object store with a path", "lnd1", put("channelBackup.objectStore", STORE | {"endpoint": "https://s3.example.com/backups"}), "endpoint"),
    Case("a backup's place without a store", "lnd1", put("channelBackup", {}), "objectStore"),
    Case("a prefix that climbs", "lnd1", put("channelBackup.objectStore", STORE | {"prefix": "../other"}), "prefix"),
    Case("plain http off regtest", "lnd1", both(put("network", "signet"), put("channelBackup.objectStore", STORE | {"endpoint": "http://s3"})), "has to begin with https:// but on regtest"),
    Case("an unknown deletion policy", "lnd1", put("deletionPolicy", "Recycle"), "Unsupported value"),
    Case("an even number of voters", "ledger", put("members", EVEN), "an even number of voters"),
    Case("a ledger of one", "ledger", put("members", [{"region": "east", "count": 1}]), "fewer than 3 voters"),
    Case("two voters", "ledger", put("members", EVEN[:1]), "fewer than 3 voters"),
    Case("nine voters", "ledger", put("members", [{"region": r, "count": 3} for r in ("a", "b", "c")]), "more than 7 voters"),
    Case("a region with a majority", "ledger", put("members", UNEVEN), "one region has most of the voters"),
    Case("anywhere beside a region", "ledger", put("members.0.region", ""), "an entry without region"),
    Case("one region twice", "ledger", put("members.1.region", "east"), "Duplicate value"),
    Case("no member at all", "ledger", put("members", []), "at least 1 items"),
    Case("an arbiter", "ledger", put("arbiters", 1), "arbiters vote without keeping data"),
    Case("w: 1", "ledger", put("writeConcern.w", 1), "weaker than majority"),
    Case("w: 0", "ledger", put("writeConcern.w", 0), "weaker than majority"),
    Case("w: two of three", "ledger", put("writeConcern.w", 2), "weaker than majority"),
    Case("a tag as w", "ledger", put("writeConcern.w", "regions"), "weaker than majority"),
    Case("no journal", "ledger", put("writeConcern.journal", False), "lost with the power"),
    Case("a wtimeout without a unit", "ledger", put("writeConcern.wtimeout", "5000"), "wtimeout"),
    Case("a version as a number", "ledger", put("version", 6.0), "spec.version"),
    Case("a version too old to be counted", "ledger", put("version", "5.0"), "spec.version"),
    Case("members without storage", "ledger", drop("storage"), "members need version and storage"),
    Case("members and external", "ledger", put("external", {"uriSecret": "uri"}), "either members"),
    Case("neither members nor external", "ledger", drop("members"), "either members"),
    Case(
        "external with a version", "ledger", both(drop("members"), put("external", {"uriSecret": "uri"})),
        "external goes alone",
    ),
    Case("MongoDB's own database", "ledger", put("databases.0.name", "admin"), "MongoDB's own"),
    Case("the operator's database", "ledger", put("databases.0.name", "bankstack"), "the operator's"),
    Case("a role over everything", "ledger", put("databases.0.users.0.roles", ["root"]), "Unsupported value"),
    Case("a user without a role", "ledger", put("databases.0.users.0.roles", []), "at least 1 items"),
    Case("one user twice", "ledger", put("databases.0.users", [API, API]), "Duplicate value"),
    Case("TLS if someone likes", "ledger", put("tls.mode", "preferTLS"), "Unsupported value"),
    Case("an operation that is not carried out", "restart-lnd1", put("operation", "Failover"), "operation of LndNode has to be one of Restart"),
    Case("a plan for what takes none", "restart-lnd1", put("target.kind", "LedgerCluster"), "no other kind takes plans in this version"),
    Case("a plan for ever", "restart-lnd1", drop("notAfter"), "spec.notAfter: Required"),
    Case("a day that is none", "restart-lnd1", put("notAfter", "tomorrow"), "spec.notAfter"),
    Case("a plan without a reason", "restart-lnd1", put("reason", ""), "spec.reason"),
    Case("a window that is none", "lnd1", put("recycle.windows", ["Sunday night"]), "spec.recycle.windows[0]"),
    Case("a database of no size", "lnd1", put("recycle.maxDatabaseSize", "big"), "spec.recycle.maxDatabaseSize"),
    Case("no block for a restart", "lnd1", put("recycle.maxDowntimeBlocks", 0), "spec.recycle.maxDowntimeBlocks"),
    Case("paused as a word", "lnd1", put("paused", "yes"), "paused"),
    Case("a component without an image", "bank", drop("components.0.image"), "components[0].image"),
    Case("no component", "bank", put("components", []), "at least 1 items"),
    Case("two components of one name", "bank", put("components.2.name", "api"), "Duplicate value"),
    Case("a component called as Redis", "bank", put("components.2.name", "redis"), "the operator's own"),
    Case("two intakes on one port", "bank", both(put("components.2.intake", True), put("components.2.ports.0.port", 4002)), "same port or the same name"),
    Case("two intakes with ports of one name", "bank", put("components.2.intake", True), "same port or the same name"),
    Case("an intake without a port", "bank", put("components.3.intake", True), "intake needs ports"),
    Case("a job that is a singleton", "bank", put("components.0.singleton", True), "at most one of job"),
    Case("a job with a schedule", "bank", put("components.0.schedule", "@daily"), "at most one of job"),
    Case("two singletons", "bank", put("components.2.replicas", 2), "a singleton has one pod"),
    Case("a job with replicas", "bank", put("components.0.replicas", 2), "do not apply"),
    Case("a job with a volume of its own", "bank", put("components.0.volumes", [{"name": "d", "mountPath": "/d", "size": "1Gi"}]), "no volume of its own"),
    Case("another ledger in env", "bank", put("components.1.env", [{"name": "MONGODB_CON", "value": "mongodb://x"}]), "sets itself (MONGODB_*"),
    Case("another node in env", "bank", put("components.1.env", [{"name": "LND2_DNS", "value": "x"}]), "sets itself (MONGODB_*"),
    Case("another chain in env", "bank", put("components.1.env", [{"name": "NETWORK", "value": "mainnet"}]), "env sets NETWORK"),
    Case("a variable with two values", "bank", put("components.1.env", [{"name": "A", "value": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]), "either value or valueFrom"),
    Case("a probe that asks twice", "bank", put("components.1.probes.readiness.tcpSocket", {"port": 1}), "in exactly one way"),
    Case("a volume that is two things", "bank", put("components.3.volumes.0.secret", "s"), "a volume is exactly one of"),
    Case("a program as root", "bank", put("components.1.user", 0), "greater than or equal to 1"),
    Case("a node twice", "bank", put("lightning", [{"node": "lnd1", "roles": ["onchain"]}, {"node": "lnd1", "roles": ["offchain"]}]), "Duplicate value"),
    Case("a node for nothing", "bank", put("lightning.0.roles", []), "at least 1 items"),
    Case("a Redis of two", "bank", put("redis.managed.members", 2), "odd and three at least"),
    Case("a Redis of one", "bank", put("redis.managed.members", 1), "odd and three at least"),
    Case("two Redises", "bank", put("redis.external", {"sentinels": [{"host": "s"}], "passwordSecret": "p"}), "either managed (to run one) or external"),
    Case("no Redis", "bank", put("redis", {}), "either managed (to run one) or external"),
    Case("no ledger", "bank", drop("ledger"), "spec.ledger"),
)  # fmt: skip

#: Accepted when they are made, refused as a change of the sample.
ON_UPDATE = (
    Case("another chain for a wallet", "vault", put("network", "signet"), "network is immutable: a wallet belongs to one"),
    Case("another chain for a node", "lnd1", put("network", "signet"), "network is immutable: a node's channels"),
    Case("another threshold", "vault", put("multisig.threshold", 3), "multisig is immutable once set"),
    Case("a signer renamed", "vault", put("multisig.keys.0.name", "chair"), "multisig is immutable once set"),
    Case(
        "descriptors for signers", "vault", both(drop("multisig"), put("descriptors", [PUBLIC, PUBLIC])),
        "multisig is immutable once set",
    ),
    Case("another birthday", "vault", put("birthday", "2025-01-01T00:00:00Z"), "birthday is immutable once set"),
    Case("no birthday any more", "vault", drop("birthday"), "birthday is immutable once set"),
    Case("external for bitcoind", "vault", both(drop("bitcoind"), put("external", HOST)), "cannot be exchanged"),
    Case("a smaller volume", "vault", put("bitcoind.storage.size", "1Gi"), "cannot shrink"),
    Case("a smaller volume in other units", "lnd1", put("storage.size", "1000Mi"), "cannot shrink"),
    Case("another storage class", "lnd1", put("storage.className", "fast"), "storage.className is immutable"),
    Case("another database", "lnd1", put("storage.backend", "bbolt"), "backend is immutable"),
    Case("a database renamed", "ledger", put("databases.0.name", "blink"), "databases cannot be renamed or removed"),
    Case("no databases any more", "ledger", drop("databases"), "databases cannot be renamed or removed"),
    Case("TLS taken away", "ledger", put("tls.mode", "disabled"), "tls.mode is immutable"),
    Case("a smaller volume of books", "ledger", put("storage.size", "512Mi"), "cannot shrink"),
    Case(
        "external for members", "ledger",
        both(drop("members"), drop("version"), drop("storage"), drop("databases"), put("external", {"uriSecret": "uri"})),
        "cannot be exchanged",
    ),
    Case("another seed", "lnd1", put("wallet.secret", "lnd2-wallet"), "secret is immutable"),
    Case("Redis elsewhere", "bank", put("redis", {"external": {"sentinels": [{"host": "s"}], "passwordSecret": "p"}}), "cannot be exchanged in place"),
    Case("more members of Redis", "bank", put("redis.managed.members", 5), "members is immutable"),
    Case("a Redis volume of another class", "bank", put("redis.managed.storage", {"size": "2Gi", "className": "fast"}), "cannot shrink below the 1Gi"),
    Case("another volume of a component", "bank", put("components.3.volumes.0.size", "1Gi"), "of a component's own volume are immutable"),
    Case("no volume of a component any more", "bank", put("components.3.volumes", []), "gets no further one and loses none"),
)  # fmt: skip

#: Changes that are ordinary and must stay possible.
ALLOWED = (
    Case("a larger volume", "lnd1", put("storage.size", "2Gi"), ""),
    Case("the same size in other units", "lnd1", put("storage.size", "1024Mi"), ""),
    Case("another version", "lnd1", put("version", "v0.21.3-beta"), ""),
    Case("an object store", "lnd1", put("channelBackup.objectStore", STORE), ""),
    Case("another alias", "lnd1", put("config", [{"key": "alias", "value": "b"}, {"key": "alias", "value": "c"}]), ""),
    Case("five voters", "ledger", put("members", [*EVEN, {"region": "central", "count": 1}]), ""),
    Case("three voters anywhere", "ledger", put("members", [{"count": 3}]), ""),
    Case("another database beside", "ledger", put("databases", [*sample("ledger")["spec"]["databases"], {"name": "audit"}]), ""),
    Case("another release", "ledger", put("version", "7.0.14"), ""),
    Case("a time after which a write gives up", "ledger", put("writeConcern.wtimeout", "10s"), ""),
    Case("paused", "vault", put("paused", True), ""),
    Case("Core 30.2", "vault", put("bitcoind.version", "30.2"), ""),
    Case("Specter off", "vault", put("specter.enabled", False), ""),
    Case("another image", "bank", put("components.1.image", "bank/api:2"), ""),
    Case("one component less", "bank", drop_item("components", 2), ""),
    Case("a larger volume of Redis", "bank", put("redis.managed.storage", {"size": "2Gi"}), ""),
    Case("a variable of its own", "bank", put("components.1.env", [{"name": "LOGLEVEL", "value": "debug"}]), ""),
)  # fmt: skip
