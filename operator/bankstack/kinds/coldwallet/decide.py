"""What a ColdWallet needs next.

Facts in, decision out. No clock, no network, no randomness: what can't be replayed
can't be trusted with money.
"""

from datetime import datetime
from typing import Final

from bankstack.engine import drift, frozen
from bankstack.engine.conditions import Claim
from bankstack.engine.decision import Action, Apply, Ask, Decision, Delete
from bankstack.engine.finding import Finding, first
from bankstack.engine.objects import SERVICE, STATEFUL_SET, Ref, ref, uid
from bankstack.kinds.coldwallet import checks, children, config, former, names, rights
from bankstack.kinds.coldwallet.facts import Facts, Place, Silent, Wallet
from bankstack.kinds.coldwallet.leave import leave
from bankstack.kinds.coldwallet.model import ColdWalletStatus, Endpoint, SpecterStatus
from bankstack.kinds.coldwallet.names import ColdWallet

#: No event tells of blocks, balances or a bitcoind that went silent.
RESYNC: Final = 30.0
#: The day of the first block: scanned from there, nothing can be missing.
GENESIS: Final = "2009-01-03T00:00:00Z"

CHAIN_READY: Final = Claim("ChainReady", "True", "Synced", "bitcoind follows the declared chain to its tip")
WALLET_READY: Final = Claim(
    "WalletReady", "True", "Verified", "the wallet watches the declared descriptors, nothing else, and knows its coins"
)
SPECTER_READY: Final = Claim("SpecterReady", "True", "Serving", "people can sign")

#: A digest in a name tells nobody what changed.
FILES_BY_PATH: Final = {
    "spec.volumes[config].configMap.name": config.FILE,
    "spec.volumes[seed].configMap.name": "what Specter is seeded with",
}

MEND_CREDENTIALS: Final = "MendCredentials"
MEND_SPECTER_SECRETS: Final = "MendSpecterSecrets"
CREATE_WALLET: Final = "CreateWallet"
LOAD_WALLET: Final = "LoadWallet"
WATCH: Final = "Watch"
#: What bitcoind is asked for, by the finding that it cures.
CURES: Final = {
    "WalletMissing": CREATE_WALLET,
    "WalletUnloaded": LOAD_WALLET,
    "DescriptorsMissing": WATCH,
    "ScanUnseen": WATCH,
}


def decide(wallet: ColdWallet, facts: Facts, now: datetime) -> Decision:
    """One look at the facts."""
    del now
    if wallet.deleting:
        return leave(wallet, facts)
    guarded = first(checks.GUARDS, wallet, facts)
    if guarded is not None or facts.watched is None:
        return Decision(wallet.status, finding=guarded, claims=_claims(wallet, facts), look_again=RESYNC)
    finding = first(checks.CHECKS, wallet, facts)
    status = _status(wallet, facts)
    wanted = children.wanted(wallet, facts.watched, facts.live, with_specter=_with_specter(wallet, facts, status))
    changes = drift.changes(wanted, facts.live)
    return Decision(
        status=status,
        actions=(
            # Secrets before the pods that mount them, which would only wait; the rest needs none.
            *(one for one in changes if not _runs_pods(one)),
            *_mended(wallet, facts),
            *(one for one in changes if _runs_pods(one)),
            *_swept(wallet, facts, {ref(one) for one in wanted}),
            *_cure(wallet, finding),
            *_watch_retired(facts),
        ),
        finding=finding,
        claims=(*_claims(wallet, facts), *former.claim(facts.formers), *_pending(wallet, facts)),
        look_again=RESYNC,
    )


def _runs_pods(change: Apply) -> bool:
    return ref(change.manifest).type == STATEFUL_SET


def _mended(wallet: ColdWallet, facts: Facts) -> tuple[Action, ...]:
    """Secrets that only `act` may read and make."""
    asked: list[Action] = []
    if wallet.spec.bitcoind is not None and not facts.credentials_intact:
        asked.append(Ask(MEND_CREDENTIALS, "Incomplete"))
    if wallet.spec.specter is not None and wallet.spec.specter.enabled and not facts.specter_secrets_intact:
        asked.append(Ask(MEND_SPECTER_SECRETS, "Incomplete"))
    return tuple(asked)


def _cure(wallet: ColdWallet, finding: Finding | None) -> tuple[Action, ...]:
    action = CURES.get(finding.reason) if finding else None
    # That the history was complete is forgotten in a pass of its own, before a new scan
    # begins: a crash in between must not leave the old word standing for a new wallet.
    if action is None or (action == WATCH and wallet.status.complete_since is not None):
        return ()
    return (Ask(action, finding.reason if finding else "", {"wallet": names.watching(wallet)}),)


def _watch_retired(facts: Facts) -> tuple[Action, ...]:
    """One after the other: each may scan the chain."""
    unwatched = next((one for one in facts.formers if one.balance_sat is None), None)
    if unwatched is None:
        return ()
    words = {"wallet": unwatched.wallet, "secret": unwatched.secret, "since": unwatched.retired_at}
    return (Ask(former.WATCH_RETIRED, "Unwatched", words),)


def _swept(wallet: ColdWallet, facts: Facts, wanted: set[Ref]) -> tuple[Action, ...]:
    """What was ours and is not wanted any more. Retained things have no owner: they stay."""
    return tuple(
        Delete(found, uid(manifest), "NotWanted")
        for found, manifest in sorted(facts.live.items(), key=lambda item: item[0])
        if found not in wanted
        and "deletionTimestamp" not in manifest["metadata"]
        and any(one["uid"] == wallet.uid for one in manifest["metadata"].get("ownerReferences", []))
    )


def _with_specter(wallet: ColdWallet, facts: Facts, status: ColdWalletStatus) -> bool:
    """Specter looks for the wallet when it starts, so the wallet comes first; once made, Specter stays."""
    if wallet.spec.specter is None or not wallet.spec.specter.enabled:
        return False
    made = names.stateful_set(names.specter(wallet)) in facts.live
    return made or (status.first_address is not None and facts.log_in_is_there)


def _status(wallet: ColdWallet, facts: Facts) -> ColdWalletStatus:
    said = wallet.status
    changed: dict[str, object] = {
        "endpoint": _endpoint(wallet, facts) or said.endpoint,
        "wallet": names.watching(wallet),
        "specter": _specter(wallet),
        "complete_since": _complete_since(wallet, facts),
    }
    if not isinstance(facts.chain, Silent):
        changed |= {"chain": facts.chain.name, "version": facts.chain.subversion[:128]}
    verified = isinstance(facts.wallet, Wallet) and first((*checks.CHAIN, *checks.IDENTITY), wallet, facts) is None
    if verified and isinstance(facts.wallet, Wallet) and facts.watched and said.first_address is None:
        changed |= {
            "descriptor_checksums": list(facts.watched.checksums),
            "first_address": facts.wallet.first_address,
        }
    return said.model_copy(update=changed)


def _complete_since(wallet: ColdWallet, facts: Facts) -> str | None:
    said = wallet.status.complete_since
    if facts.wallet is Place.MISSING or first((checks.descriptors_are_imported,), wallet, facts):
        return None
    if first((*checks.CHAIN, *checks.IDENTITY, *checks.HISTORY), wallet, facts) is None:
        return said or wallet.spec.birthday or GENESIS
    return said


def _endpoint(wallet: ColdWallet, facts: Facts) -> Endpoint | None:
    host, port = children.rpc_address(wallet)
    block: int | None = names.ZMQ_BLOCK_PORT
    transaction: int | None = names.ZMQ_TX_PORT
    if wallet.spec.external is not None:
        if isinstance(facts.chain, Silent):
            return None
        block, transaction = facts.chain.zmq_block_port, facts.chain.zmq_tx_port
    return Endpoint(
        host=host,
        rpc_port=port,
        zmq_block_port=block,
        zmq_tx_port=transaction,
        credentials_secret=children.account(wallet, rights.LND),
        address=_address(wallet, facts),
    )


def _address(wallet: ColdWallet, facts: Facts) -> str | None:
    live = facts.live.get(Ref(SERVICE, names.bitcoind(wallet)))
    given = live["spec"].get("clusterIP") if live else None
    said = wallet.status.endpoint
    # The first one stays: that is where an LND that runs is connected.
    return (said.address if said else None) or given


def _specter(wallet: ColdWallet) -> SpecterStatus | None:
    if wallet.spec.specter is None or not wallet.spec.specter.enabled:
        return None
    host = names.host(wallet, names.specter(wallet))
    return SpecterStatus(host=host, port=names.SPECTER_PORT, admin_secret=names.specter_admin(wallet))


def _claims(wallet: ColdWallet, facts: Facts) -> tuple[Claim, ...]:
    silent = frozenset(one.reason for one in (facts.chain, facts.wallet) if isinstance(one, Silent))
    chain = first((*checks.CHAIN, *checks.SYNC), wallet, facts)
    watching = first((*checks.GUARDS, *checks.CHAIN, *checks.IDENTITY, *checks.HISTORY), wallet, facts)
    told = (
        _claim("ChainReady", chain, silent) or CHAIN_READY,
        _claim("WalletReady", watching, silent) or WALLET_READY,
    )
    if wallet.spec.specter is None or not wallet.spec.specter.enabled:
        return told
    signing = first(checks.SPECTER, wallet, facts)
    return (*told, _claim("SpecterReady", signing, frozenset()) or SPECTER_READY)


def _claim(kind: str, finding: Finding | None, silent: frozenset[str]) -> Claim | None:
    """A condition that is not true; Unknown where only the answer is missing (law 3)."""
    if finding is None:
        return None
    return Claim(kind, "Unknown" if finding.reason in silent else "False", finding.reason, finding.message)


def _pending(wallet: ColdWallet, facts: Facts) -> tuple[Claim, ...]:
    """One condition for both: what would have to be restarted for the spec to take effect."""
    sets = []
    if wallet.spec.bitcoind is not None:
        sets.append((names.BITCOIND, children.bitcoind_set(wallet, wallet.spec.bitcoind)))
    if wallet.spec.specter is not None and facts.watched is not None:
        sets.append((names.SPECTER, children.specter_set(wallet, wallet.spec.specter, facts.watched)))
    changed = {
        name: paths
        for name, wanted in sets
        if (live := facts.live.get(ref(wanted))) and (paths := frozen.pending(wanted, frozen.hold(wanted, live)))
    }
    told = tuple(FILES_BY_PATH.get(path, path) for paths in changed.values() for path in paths)
    return frozen.change_pending(told, " and ".join(changed))
