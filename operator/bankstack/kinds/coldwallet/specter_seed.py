"""Runs before Specter, in Specter's image: what it must never be without.

Not part of the operator's process: this file travels in a ConfigMap, with `seed.json`
beside it, and uses nothing but the standard library. It writes what is absent, keeps
what people changed, and insists on three things: a log-in, our node's password, and
the name under which bitcoind has the wallet. A password that people changed in Specter
stays until the Secret changes.
"""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

#: Specter's own choice, see its user.py: other numbers could not be verified by it.
ROUNDS = 10000


def main(seed_folder: Path, secrets: Path, data: Path) -> None:
    """Bring the data folder up to the seed."""
    seed = json.loads((seed_folder / "seed.json").read_text(encoding="utf-8"))
    for folder in ("nodes", "devices", f"wallets/{seed['chain']}"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    _config(data / "config.json", seed["config"])
    _log_in(data / "users.json", data / ".seeded-log-in", _word(secrets / "admin" / "username"), secrets / "admin")
    account = {"user": _word(secrets / "rpc" / "username"), "password": _word(secrets / "rpc" / "password")}
    _write(data / "nodes" / f"{seed['node']['alias']}.json", seed["node"] | account)
    for device in seed["devices"]:
        _write_once(data / "devices" / f"{device['alias']}.json", device)
    for wallet in seed["wallets"]:
        _write_once(data / "wallets" / seed["chain"] / f"{wallet['alias']}.json", wallet)


def _config(path: Path, wanted: dict[str, Any]) -> None:
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = dict(found) | {"uid": wanted["uid"]}
    if not kept.get("active_node_alias"):
        kept["active_node_alias"] = wanted["active_node_alias"]
    auth = kept.get("auth")
    # The default is "none": whoever reaches the port may make transactions to be signed.
    if not isinstance(auth, dict) or auth.get("method", "none") == "none":
        kept["auth"] = wanted["auth"]
    if kept != found:
        _write(path, kept)


def _log_in(path: Path, mark: Path, username: str, secret: Path) -> None:
    password = (secret / "password").read_bytes()
    seeded = mark.read_text(encoding="utf-8").split() if mark.exists() else []
    if path.exists() and len(seeded) == 2 and _digest(password, seeded[0]) == seeded[1]:  # noqa: PLR2004 - salt, digest
        return
    users = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    salt = base64.b64encode(os.urandom(32)).decode()
    admin = next((one for one in users if one.get("is_admin")), {"id": "admin", "is_admin": True, "services": []})
    admin |= {
        "username": username,
        "password": {"salt": salt, "pwdhash": _digest(password, salt)},
        "jwt_tokens": {},
        # Encrypted with the former password: with another one Specter could not even log in.
        "encrypted_user_secret": None,
    }
    _write(path, [admin, *(one for one in users if one is not admin)])
    _replace(mark, f"{salt} {_digest(password, salt)}")


def _digest(password: bytes, salt: str) -> str:
    return base64.b64encode(hashlib.pbkdf2_hmac("sha256", password, salt.encode(), ROUNDS)).decode()


def _word(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write_once(path: Path, content: dict[str, Any]) -> None:
    if not path.exists():
        _write(path, content)


def _write(path: Path, content: object) -> None:
    _replace(path, json.dumps(content, indent=4))


def _replace(path: Path, text: str) -> None:
    """Whole or not at all: Specter does not start from half a file."""
    aside = path.with_name(f".{path.name}.new")
    aside.touch(mode=0o600)
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
