"""How a story is judged: its end against the reference's, its lives counted, its laws never broken."""

import re
from collections import Counter
from typing import Any

from bankstack.engine.objects import Manifest

from .bank import Bank
from .neighbours import ENDED

#: Of another run, or of nobody's interest.
_PASSING = frozenset(
    {
        "uid", "resourceVersion", "creationTimestamp", "generation", "lastTransitionTime", "startedAt",
        "observedGeneration", "bankstack.io/applied", "volumeName", "bankstack.io/credentials",
        "controller-revision-hash", "updateRevision",
    }
)  # fmt: skip
_IDENTITY = re.compile(r"0[23][0-9a-f]{64}")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----", re.DOTALL)
#: Pods of the bank's own programs hear of a new mode.
TOLD = re.compile(r"apply Pod bank-(?!redis-)")


def picture(bank: Bank) -> dict[str, Any]:
    """What there is: without versions and times, secrets by their keys, identities by their being one."""
    return {str(key): _lasting(stored.manifest) for key, stored in sorted(bank.server.objects.items())}


def _lasting(manifest: Manifest) -> Any:  # noqa: ANN401 - a manifest, reduced
    if manifest["kind"] == "Secret":
        manifest = manifest | {"data": sorted(manifest.get("data", {}))}
    if manifest.get("status", {}).get("phase") in ENDED:
        # Whether it heard of a mode before it ended is a matter of moments.
        manifest = {"kind": manifest["kind"], "status": manifest["status"]}
    return _reduced(manifest)


def _reduced(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _reduced(inner) for key, inner in value.items() if key not in _PASSING}
    if isinstance(value, list):
        return [_reduced(inner) for inner in value]
    return _CERTIFICATE.sub("a certificate", _IDENTITY.sub("an identity", value)) if isinstance(value, str) else value


def lives(bank: Bank) -> Counter[str]:
    """How often each object was made and deleted."""
    return Counter(line for line in bank.server.written if not line.startswith("update"))


def laws_hold(bank: Bank) -> None:
    """What may not happen in any story, whatever went wrong in it."""
    for volume, disk in bank.lnds.disks.items():
        assert len(disk.made) <= 1, f"two wallets were made on {volume}"
    seeds = {wallet.seed for disk in bank.lnds.disks.values() for wallet in disk.made}
    assert len(seeds) == sum(len(disk.made) for disk in bank.lnds.disks.values()), "one seed is on two volumes"
    lost = [call for call in bank.calls.made if call.startswith(("delete PersistentVolumeClaim", "delete Secret"))]
    assert lost == [], "the operator deleted money data"
    watching = [wallet for disk in bank.bitcoinds.disks.values() for wallet in disk.wallets.values()]
    assert not any(wallet.private_keys for wallet in watching), "a watching wallet can hold keys"
    assert bank.lnds.second == [], "two LNDs ran on one volume"
    assert bank.lnds.misread == [], "an LND was started on a database that is not for it"
    written = [call for call in bank.calls.made if call.startswith(("apply Pod ", "delete Pod "))]
    assert not [call for call in written if not TOLD.match(call)], (
        "no pod of ours but a program's is written, to tell it"
    )
    assert len(bank.mongods.made) <= 1, "the books were begun anew"
    assert bank.mongods.wrongs == []
    assert bank.witness.wrongs == []


def same(bank: Bank, reference: Bank) -> None:
    """The end state and the number of lives of each object are the reference's."""
    laws_hold(bank)
    assert picture(bank) == picture(reference)
    assert lives(bank) == lives(reference)
