"""What the objects of an LndNode are called, and the words written on them (pure)."""

from typing import Final

from bankstack.engine.objects import (
    AROUND_A_STATEFUL_SET,
    CONFIG_MAP,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    SECRET,
    SERVICE,
    STATEFUL_SET,
    Ref,
)

COMPONENT: Final = "lnd"

P2P, RPC, REST, METRICS = 9735, 10009, 8080, 9092

#: On the volume's claim and the wallet Secret: the identity they hold. Whoever finds it there knows the wallet exists.
IDENTITY: Final = "bankstack.io/identity"
#: On the volume's claim: the newest LND that has run on it.
LND_VERSION: Final = "bankstack.io/lnd-version"
#: On the wallet Secret: the one LndNode that uses it.
CLAIMED_BY: Final = "bankstack.io/claimed-by"
#: On the wallet Secret: "bankstack" where the operator made the seed, so that no coin can be older than it.
MADE_BY: Final = "bankstack.io/made-by"
#: On every tombstone, and on the wallet Secret that the spec names: which wallet in a row came next. None: the first.
GENERATION: Final = "bankstack.io/generation"
#: On a tombstone: when and by which plan its identity was retired, and where its volume is.
RETIRED_AT, RETIRED_BY, VOLUME = "bankstack.io/retired-at", "bankstack.io/retired-by", "bankstack.io/volume"
#: Digits of an identity in its tombstone's name.
SHORT: Final = 12
#: On the StatefulSet: the lnd.conf that its template mounts, so that the ConfigMap can come back.
CONFIG: Final = "bankstack.io/lnd-conf"
#: On the StatefulSet: a digest of what its template was made from. Tells a changed spec from a newer operator.
DECLARED: Final = "bankstack.io/declared"
#: On a consumer's Secret: what its macaroon allows.
PERMISSIONS: Final = "bankstack.io/permissions"
#: On the channel backup's Secret: which channels the newest backup holds, and since when.
CHANNELS: Final = "bankstack.io/channels"
SAVED_AT: Final = "bankstack.io/saved-at"
#: There too, of the object store: as what and in which bucket the newest backup was proved to be there, since when
#: and when last; and what came of the last attempt, where it failed, and when.
STORED_AS, STORED_IN = "bankstack.io/stored-as", "bankstack.io/stored-in"
STORED_AT, SEEN_AT = "bankstack.io/stored-at", "bankstack.io/seen-at"
STORE_SAID, STORE_TRIED_AT = "bankstack.io/store-said", "bankstack.io/store-tried-at"

CHILDREN: Final = AROUND_A_STATEFUL_SET

#: Those that are found by their owner label; the volume is found by its name.
LISTED: Final = tuple(one for one in CHILDREN if one != PERSISTENT_VOLUME_CLAIM)


def address(name: str, namespace: str) -> str:
    """Host name of the API inside the cluster."""
    return f"{name}.{namespace}.svc"


def certificate_names(name: str, namespace: str) -> tuple[str, ...]:
    """Every DNS name that clients may reach LND by."""
    host = address(name, namespace)
    return (name, f"{name}.{namespace}", host, f"{host}.cluster.local", "localhost")


def stateful_set(name: str) -> Ref:
    """The one writer."""
    return Ref(STATEFUL_SET, name)


def pod(name: str) -> Ref:
    """The StatefulSet's only pod."""
    return Ref(POD, f"{name}-0")


def volume(name: str, generation: int = 1) -> Ref:
    """The claim of the channel state's volume. Every wallet has its own: one that is replaced keeps what it had."""
    return Ref(PERSISTENT_VOLUME_CLAIM, _nth(f"{name}-data", generation))


def wallet(spec_secret: str, generation: int = 1) -> str:
    """The Secret of the wallet in use; the spec names the first."""
    return _nth(spec_secret, generation)


def tombstone(name: str, identity: str) -> Ref:
    """What remains of a retired identity: password, seed, newest channel backup."""
    return Ref(SECRET, f"{name}-retired-{identity[:SHORT]}")


def _nth(name: str, generation: int) -> str:
    return name if generation == 1 else f"{name}-{generation}"


def config(name: str, content: str) -> Ref:
    """The ConfigMap of an lnd.conf; `content` is its digest."""
    return Ref(CONFIG_MAP, f"{name}-conf-{content}")


def authority(name: str) -> Ref:
    """The operator-made certificate authority."""
    return Ref(SECRET, f"{name}-ca")


def certificate(name: str) -> Ref:
    """LND's own certificate and key."""
    return Ref(SECRET, f"{name}-tls")


def consumer(name: str, who: str) -> Ref:
    """What one consumer of LND's API mounts."""
    return Ref(SECRET, f"{name}-{who}")


def channel_backup(name: str, generation: int = 1) -> Ref:
    """The newest channel backups, of one wallet."""
    return Ref(SECRET, _nth(f"{name}-channel-backup", generation))


def p2p_service(name: str) -> Ref:
    """Where peers find the node."""
    return Ref(SERVICE, f"{name}-p2p")


def authority_secret(name: str, spec_ca_secret: str | None) -> Ref:
    """Where the authority is: the user's or ours."""
    return Ref(SECRET, spec_ca_secret) if spec_ca_secret else authority(name)
