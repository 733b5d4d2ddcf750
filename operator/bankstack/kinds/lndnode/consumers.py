"""Who gets which macaroon of LND, and under which key names (pure).

Least privilege, by method where an entity would give too much: offchain:write alone
would allow to abandon channels, onchain:write to open and close them. Nobody here may
close or open a channel, change its policy, stop LND or bake macaroons. Each consumer
has its own root key in LND, so one can be revoked without the others.
"""

from dataclasses import dataclass
from typing import Final

from bankstack.clients.lnd.answers import Permission
from bankstack.engine.objects import digest


@dataclass(frozen=True)
class Consumer:
    """One reader of LND's API. `macaroon_key` is the key that existing charts mount."""

    name: str
    root_key_id: int
    macaroon_key: str
    permissions: tuple[Permission, ...]

    @property
    def digest(self) -> str:
        """Changes when what it may do does."""
        return digest([[one.entity, one.action] for one in self.permissions])


def _reads(*entities: str) -> tuple[Permission, ...]:
    return tuple(Permission(entity, "read") for entity in entities)


def _methods(*paths: str) -> tuple[Permission, ...]:
    return tuple(Permission("uri", path) for path in paths)


#: A bank's API: invoices, payments, addresses, on-chain sends.
API: Final = Consumer(
    "api",
    root_key_id=101,
    # The key's name is what Galoy's charts read; what is in it is far from an admin's.
    macaroon_key="admin_macaroon_base64",
    permissions=(
        *_reads("address", "info", "invoices", "message", "offchain", "onchain", "peers"),
        Permission("address", "write"),
        Permission("invoices", "write"),
        Permission("message", "write"),
        *_methods(
            "/lnrpc.Lightning/DeletePayment",
            "/lnrpc.Lightning/SendCoins",
            "/lnrpc.Lightning/SendMany",
            "/routerrpc.Router/SendPaymentV2",
            "/routerrpc.Router/SendToRouteV2",
        ),
    ),
)

#: Dashboards and exporters: nothing that moves, makes or promises money.
READONLY: Final = Consumer(
    "readonly",
    root_key_id=102,
    macaroon_key="readonly_macaroon_base64",
    permissions=_reads("info", "invoices", "message", "offchain", "onchain", "peers"),
)

CONSUMERS: Final = (API, READONLY)
