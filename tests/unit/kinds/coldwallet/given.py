"""One line of arrangement: a ColdWallet, and what is true of it."""

import dataclasses
from typing import Any

from tests.misoperations import drop, put, sample

from bankstack.engine import declared
from bankstack.engine.objects import PERSISTENT_VOLUME_CLAIM, Manifest, Ref
from bankstack.engine.schema import Resource
from bankstack.kinds.coldwallet import descriptors, model
from bankstack.kinds.coldwallet.facts import Chain, Facts, Pod, Scan, Wallet
from bankstack.kinds.coldwallet.names import BITCOIND, SPECTER, ColdWallet

RESOURCE: Resource = model.RESOURCE
FIRST = "bcrt1q09dunf7aluy8zancg5s5s2xhzkresapj2juf6rnn86ea304zvdsqwsxhke"
PAIR = descriptors.pair(model.ColdWalletSpec.model_validate(sample("vault")["spec"]))
PINNED = {"descriptorChecksums": list(PAIR.checksums), "firstAddress": FIRST, "completeSince": "2026-01-01T00:00:00Z"}
EXTERNAL = {"host": "bitcoind.example", "credentialsSecret": "theirs"}
SYNCED = Chain(
    name="regtest",
    blocks=101,
    headers=101,
    initial_download=False,
    progress=1.0,
    disk_bytes=31_000,
    version=290500,
    subversion="/Satoshi:29.5.0/",
    peers=8,
)
WATCHING = Wallet(
    private_keys=False,
    receive=(PAIR.receive,),
    change=(PAIR.change,),
    scanned=None,
    balance_sat=250_000,
    utxos=2,
    first_address=FIRST,
    owns_first=True,
)
RUNNING = (Pod(BITCOIND, ready=True), Pod(SPECTER, ready=True))


def manifest(**changes: Any) -> Manifest:  # noqa: ANN401 - any field of the spec, dots as two underscores
    """The sample with changed fields of its spec; None takes one away."""
    made = sample("vault")
    for path, value in changes.items():
        change = drop(path.replace("__", ".")) if value is None else put(path.replace("__", "."), value)
        change(made["spec"])
    made["metadata"] |= {"namespace": "bank", "uid": "uid-of-vault", "generation": 1}
    return made


def wallet(status: dict[str, Any] | None = None, *, deleting: bool = False, **changes: Any) -> ColdWallet:  # noqa: ANN401
    """The sample as it was read, with this status."""
    made = manifest(**changes)
    if status is not None:
        made["status"] = status
    if deleting:
        made["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
    return declared.read(RESOURCE, made)  # type: ignore[return-value]  # of this kind


def facts(of: ColdWallet | None = None, **changes: Any) -> Facts:  # noqa: ANN401 - any field
    """All is well, but for the changes."""
    spec = (of or wallet()).spec
    try:
        watched: descriptors.Pair | None = descriptors.pair(spec)
        unusable = ""
    except descriptors.Unusable as error:
        watched, unusable = None, str(error)
    well = Facts(
        live={},
        watched=watched,
        unusable=unusable,
        credentials_intact=True,
        specter_secrets_intact=True,
        log_in_is_there=True,
        pods=RUNNING,
        chain=SYNCED,
        wallet=WATCHING,
        scan=Scan.DONE,
    )
    return dataclasses.replace(well, **changes)


def volume_of(checksum: str) -> dict[Ref, Manifest]:
    """A volume that was kept from some wallet."""
    meta = {"name": "vault-bitcoind", "uid": "v", "annotations": {"bankstack.io/identity": checksum}, "labels": {}}
    return {Ref(PERSISTENT_VOLUME_CLAIM, "vault-bitcoind"): {"metadata": meta}}
