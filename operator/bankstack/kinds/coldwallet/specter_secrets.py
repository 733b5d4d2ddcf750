"""Specter's session key and log-in, kept so that either Secret may be deleted by hand (pure)."""

from collections.abc import Callable, Mapping
from typing import Final

from bankstack.kinds.coldwallet import names
from bankstack.kinds.coldwallet.credentials import holds
from bankstack.kinds.coldwallet.names import ColdWallet

SESSION_KEY: Final = "secret-key"
PASSWORD: Final = "admin-password"  # noqa: S105 - the name of a key
USERNAME: Final = b"admin"

Secrets = Mapping[str, Mapping[str, bytes]]


def made(wallet: ColdWallet) -> tuple[str, ...]:
    """Names of the Secrets we make: ours first, which the other is made from."""
    given = wallet.spec.specter is not None and wallet.spec.specter.admin_secret is not None
    return (names.specter(wallet),) if given else (names.specter(wallet), names.specter_admin(wallet))


def complete(wallet: ColdWallet, found: Secrets, fresh: Callable[[], bytes]) -> dict[str, dict[str, bytes]]:
    """All of them as they should be; what is lost everywhere is taken from `fresh`."""
    ours = found.get(names.specter(wallet), {})
    whole = {SESSION_KEY: ours.get(SESSION_KEY) or fresh()}
    if len(made(wallet)) == 1:
        return {names.specter(wallet): whole}
    password = ours.get(PASSWORD) or found.get(names.specter_admin(wallet), {}).get("password") or fresh()
    return {
        names.specter(wallet): whole | {PASSWORD: password},
        names.specter_admin(wallet): {"username": USERNAME, "password": password},
    }


def intact(wallet: ColdWallet, found: Secrets) -> bool:
    """Whether nothing has to be made or put back."""
    wanted = complete(wallet, found, lambda: b"")
    return all(holds(found.get(name, {}), files) and all(files.values()) for name, files in wanted.items())
