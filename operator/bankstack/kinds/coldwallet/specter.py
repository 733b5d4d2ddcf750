"""What Specter is seeded with, so that its first page shows this wallet (pure).

Specter's files as its version 2.1.11 reads them (managers/*.py, wallet/wallet.py).
No secret is in here: the seeding script adds them from mounted files.
"""

import json
import re
from typing import Any, Final

from bankstack.engine import base58
from bankstack.kinds.coldwallet import names
from bankstack.kinds.coldwallet.descriptors import Pair
from bankstack.kinds.coldwallet.model import Key
from bankstack.kinds.coldwallet.names import ColdWallet

NODE: Final = "bitcoind"
AUTH: Final = {
    "method": "usernamepassword",
    "password_min_chars": 12,
    "rate_limit": 10,
    "registration_link_timeout": 1,
}
#: Script types as descriptors begin, and as Specter calls them: type, address type, words.
_SCRIPTS: Final = (
    ("wsh(", "wsh", "bech32", "Multisig (Segwit)"),
    ("sh(wsh(", "sh-wsh", "p2sh-segwit", "Multisig (Nested)"),
    ("wpkh(", "wpkh", "bech32", "Single (Segwit)"),
    ("sh(wpkh(", "sh-wpkh", "p2sh-segwit", "Single (Nested)"),
    ("tr(", "tr", "taproot", "Taproot"),
)
_ORIGIN: Final = re.compile(r"\[([0-9a-f]{8})/([0-9h/]+)\]([xt]pub[1-9A-HJ-NP-Za-km-z]+)")
_THRESHOLD: Final = re.compile(r"multi\((\d+),")


def seed(wallet: ColdWallet, watched: Pair, host: str, port: int) -> str:
    """`seed.json` for the script that runs before Specter."""
    shown = _shown(wallet, watched)
    return json.dumps(
        {
            "chain": names.CHAINS[wallet.spec.network],
            "config": {"uid": names.SPECTER_UID, "active_node_alias": NODE, "auth": AUTH},
            "node": {
                "python_class": "cryptoadvance.specter.node.Node",
                # Without it Specter's own migration takes the node for one that it runs itself.
                "external_node": True,
                "name": NODE,
                "alias": NODE,
                "autodetect": False,
                "datadir": "",
                "host": host,
                "port": port,
                "protocol": "http",
                "node_type": "BTC",
            },
            "devices": [_device(name, key) for name, key in shown] if shown else [],
            "wallets": [_wallet(wallet, watched, shown)] if shown else [],
        },
        indent=1,
        sort_keys=True,
    )


def shows(wallet: ColdWallet, watched: Pair) -> bool:
    """Whether Specter can show it: it wants every key with its origin, and the branches 0 and 1."""
    return bool(_shown(wallet, watched))


def _shown(wallet: ColdWallet, watched: Pair) -> list[tuple[str, dict[str, str]]]:
    receive, change = (text.partition("#")[0] for text in (watched.receive, watched.change))
    script = _script(receive)
    if script is None or receive.replace("/0/*", "/1/*") != change:
        return []
    if wallet.spec.multisig is not None:
        return [(key.name, _signer(key, wallet)) for key in wallet.spec.multisig.keys]
    found = _ORIGIN.findall(receive)
    if len(found) != receive.count("/0/*"):
        return []
    return [
        (f"{wallet.name}-{place}", _key(fingerprint, path, xpub, xpub, script[1]))
        for place, (fingerprint, path, xpub) in enumerate(found, 1)
    ]


def _signer(key: Key, wallet: ColdWallet) -> dict[str, str]:
    plain = base58.plain(key.xpub, mainnet=wallet.spec.network == "mainnet")
    return _key(key.fingerprint, key.derivation, key.xpub, plain, "wsh")


def _key(fingerprint: str, path: str, original: str, xpub: str, script: str) -> dict[str, str]:
    return {
        "original": original,
        "fingerprint": fingerprint,
        "derivation": f"m/{path}",
        "type": script,
        "purpose": "Multisig (Segwit)" if script == "wsh" else "General",
        "xpub": xpub,
    }


def _device(name: str, key: dict[str, str]) -> dict[str, Any]:
    # "other": which signer it really is, its owner chooses in Specter.
    return {"name": name, "alias": name, "type": "other", "keys": [key], "blinding_key": ""}


def _wallet(wallet: ColdWallet, watched: Pair, shown: list[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    script = _script(watched.receive) or _SCRIPTS[0]
    threshold = _THRESHOLD.search(watched.receive)
    return {
        "name": wallet.name,
        "alias": wallet.name,
        "description": f"{threshold[1]} of {len(shown)} {script[3]}" if threshold else script[3],
        "address_type": script[2],
        "address": "",
        "address_index": 0,
        "change_address": "",
        "change_index": 0,
        "keypool": 0,
        "change_keypool": 0,
        "recv_descriptor": watched.receive,
        "change_descriptor": watched.change,
        "keys": [key for _, key in shown],
        "devices": [name for name, _ in shown],
        "sigs_required": int(threshold[1]) if threshold else 1,
        "pending_psbts": {},
        "frozen_utxo": [],
    }


def _script(descriptor: str) -> tuple[str, str, str, str] | None:
    return next((one for one in _SCRIPTS if descriptor.startswith(one[0])), None)
