"""The LndNode kind's row in the engine's table: how it sees, decides and acts."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from bankstack.clients.dialing import RESOLV_CONF, cluster_domain
from bankstack.clients.lnd import client
from bankstack.clients.lnd.answers import Channels, Funds, Info
from bankstack.clients.lnd.connection import Kept
from bankstack.engine.finding import Unknown
from bankstack.engine.model import in_bytes
from bankstack.engine.objects import SECRET, Ref
from bankstack.engine.ports import Kind
from bankstack.kinds.lndnode import act, htlcs, names, plans
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.doors import Doors
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.model import RESOURCE, LndNodeSpec
from bankstack.kinds.lndnode.observe import COLD_WALLET, observe
from bankstack.kinds.lndnode.subject import LndNode

DOORS: Final = Doors(Kept().connect, client.presented, domain=cluster_domain(RESOLV_CONF))


def kind(doors: Doors = DOORS) -> Kind:
    """The row; `doors` are how LND and the object store are reached."""
    return Kind(
        resource=RESOURCE,
        children=names.CHILDREN,
        observe=partial(observe, doors=doors),
        decide=decide,
        act=act.acts(doors),
        references=references,
        gauges=gauges,
        bounds=bounds,
        operations=plans.OPERATIONS,
        farewell=act.farewell,
    )


def references(spec: LndNodeSpec) -> tuple[Ref, ...]:
    """What the node waits for."""
    store = spec.channel_backup.object_store if spec.channel_backup else None
    secrets = (
        spec.wallet.secret,
        spec.bitcoind.credentials_secret,
        spec.tls.ca_secret if spec.tls else None,
        *((store.credentials_secret, store.ca_secret) if store else ()),
    )
    wallets = (Ref(COLD_WALLET, spec.bitcoind.cold_wallet),) if spec.bitcoind.cold_wallet else ()
    return (*wallets, *(Ref(SECRET, name) for name in secrets if name))


def bounds(node: LndNode) -> Mapping[str, float]:
    """LND tells no size of its database: kubelets measure volumes, and alerts compare."""
    return {"bankstack_lndnode_max_database_bytes": in_bytes(htlcs.recycle(node).max_database_size)}


def gauges(facts: Facts) -> Mapping[str, float]:
    """Numbers that change without anyone acting. One that is not known now is not told."""
    found: dict[str, float] = {}
    if isinstance(facts.info, Info):
        found |= {
            "bankstack_lndnode_synced": facts.info.synced,
            "bankstack_lndnode_block_height": facts.info.block_height,
            "bankstack_lndnode_peers": facts.info.peers,
            "bankstack_lndnode_channels_active": facts.info.active,
            "bankstack_lndnode_channels_inactive": facts.info.inactive,
            "bankstack_lndnode_channels_pending": facts.info.pending,
        }
    if isinstance(facts.channels, Channels):
        found["bankstack_lndnode_pending_htlcs"] = len(facts.channels.htlcs)
        if isinstance(facts.info, Info) and (tightest := htlcs.tightest(facts.channels.htlcs, facts.info.block_height)):
            found["bankstack_lndnode_htlc_blocks_left"] = htlcs.blocks_left(tightest, facts.info.block_height)
    if isinstance(facts.funds, Funds):
        found |= {
            "bankstack_lndnode_wallet_confirmed_sat": facts.funds.confirmed_sat,
            "bankstack_lndnode_wallet_unconfirmed_sat": facts.funds.unconfirmed_sat,
            "bankstack_lndnode_channel_local_sat": facts.funds.local_sat,
            "bankstack_lndnode_channel_remote_sat": facts.funds.remote_sat,
            "bankstack_lndnode_limbo_sat": facts.funds.limbo_sat,
        }
    if not isinstance(facts.presented, Unknown):
        found["bankstack_lndnode_certificate_expires_timestamp_seconds"] = facts.presented.not_after.timestamp()
    return found
