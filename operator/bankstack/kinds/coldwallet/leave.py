"""How a ColdWallet goes: it stops gracefully, and its data stay (law 4, pure).

With deletionPolicy Delete the data go too, but only after proof that nothing is lost:
on regtest, or with a balance of zero that was seen while bitcoind still ran. The proof
is written to the StatefulSet together with the order to stop, for afterwards nobody
can be asked.
"""

from bankstack.engine import drift
from bankstack.engine import manifests as m
from bankstack.engine.decision import Action, Decision, Delete
from bankstack.engine.finding import WATCHED, Finding, Stalled, first
from bankstack.engine.objects import (
    PERSISTENT_VOLUME_CLAIM,
    PROVED_EMPTY,
    SECRET,
    STATEFUL_SET,
    Manifest,
    Ref,
    annotation,
    ref,
    uid,
)
from bankstack.kinds.coldwallet import checks, children, names
from bankstack.kinds.coldwallet.facts import Facts, Wallet
from bankstack.kinds.coldwallet.names import ColdWallet


def leave(wallet: ColdWallet, facts: Facts) -> Decision:
    """Stop, wait until the pods are gone, let go."""
    running = [one for found, one in facts.live.items() if found.type == STATEFUL_SET and _is_ours(one, wallet)]
    up = [one for one in running if one["spec"].get("replicas") != 0]
    takes_data = wallet.spec.deletion_policy == "Delete"
    if up and takes_data and not _is_empty(wallet, facts):
        return Decision(wallet.status, finding=_not_proven(wallet, facts), look_again=10.0)
    if up:
        return Decision(wallet.status, _stops(wallet, facts, up, proven=takes_data), finding=_stopping())
    if facts.pods:
        return Decision(wallet.status, finding=_stopping())
    proven = any(annotation(one, PROVED_EMPTY) for one in running)
    return Decision(wallet.status, _data(wallet, facts) if takes_data and proven else (), released=True)


def _is_ours(manifest: Manifest, wallet: ColdWallet) -> bool:
    return any(one["uid"] == wallet.uid for one in manifest["metadata"].get("ownerReferences", []))


def _stops(wallet: ColdWallet, facts: Facts, up: list[Manifest], *, proven: bool) -> tuple[Action, ...]:
    """Their StatefulSets as they are, but for the replicas: nothing else changes on the way out."""
    wanted = children.wanted(wallet, facts.watched, facts.live, with_specter=True) if facts.watched else ()
    named = {ref(one): one for one in wanted}
    marks = {PROVED_EMPTY: "true"} if proven else {}
    still = [m.stopped(named[ref(one)], marks) for one in up if ref(one) in named]
    # What the spec no longer has words for stops as gracefully when it is deleted.
    rest = [Delete(ref(one), uid(one), "Stopping") for one in up if ref(one) not in named]
    return (*drift.changes(still, facts.live), *rest)


def _stopping() -> Finding:
    return Finding(
        "Stopping", "bitcoind and Specter are stopping: bitcoind may take minutes to write what it knows", WATCHED
    )


def _is_empty(wallet: ColdWallet, facts: Facts) -> bool:
    """Proof, not lack of evidence: verified, complete, at the tip, and zero."""
    if wallet.spec.network == "regtest":
        return True
    proving = (*checks.GUARDS, *checks.CHAIN, *checks.IDENTITY, *checks.HISTORY, *checks.SYNC)
    if first(proving, wallet, facts) is not None or not isinstance(facts.wallet, Wallet):
        return False
    return facts.wallet.balance_sat == 0 and facts.wallet.scanned is None


def _not_proven(wallet: ColdWallet, facts: Facts) -> Finding:
    if isinstance(facts.wallet, Wallet) and facts.wallet.balance_sat:
        cause = f"it holds {facts.wallet.balance_sat} sat"
    else:
        cause = "that it is empty could not be proven"
    return Finding(
        "NotProvenEmpty",
        f"deletionPolicy is Delete, but {cause}: nothing is stopped or deleted. Move the coins, or set "
        f"deletionPolicy: Retain to let {wallet.name} go and keep its volumes",
        Stalled(),
    )


def _data(wallet: ColdWallet, facts: Facts) -> tuple[Action, ...]:
    volumes = [
        Delete(found, uid(one), "ProvenEmpty")
        for found, one in sorted(facts.live.items(), key=lambda item: item[0])
        if found.type == PERSISTENT_VOLUME_CLAIM and one["metadata"]["labels"].items() >= m.RETAINED.items()
    ]
    mine = {names.specter_admin(wallet)} if wallet.spec.specter and wallet.spec.specter.admin_secret else set()
    secrets = [
        Delete(Ref(SECRET, name), life, "ProvenEmpty")
        for name, life in sorted(facts.secrets.items())
        if name not in mine
    ]
    return (*volumes, *secrets)
