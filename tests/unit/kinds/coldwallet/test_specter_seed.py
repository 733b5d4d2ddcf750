"""The script that runs in Specter's image, on a real folder; its files were proven with Specter 2.1.11 itself."""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bankstack.kinds.coldwallet import names, specter, specter_seed

from .given import PAIR, wallet


class Disk:
    def __init__(self, root: Path) -> None:
        self.seed, self.secrets, self.data = root / "seed", root / "secrets", root / "data"
        for folder in (self.seed, self.secrets / "rpc", self.secrets / "admin", self.data):
            folder.mkdir(parents=True)
        (self.seed / "seed.json").write_text(specter.seed(wallet(), PAIR, "bitcoind.example", 18443))
        self.secret("rpc", "specter", "rpc-password")
        self.secret("admin", "admin", "correct horse")

    def secret(self, which: str, username: str, password: str) -> None:
        (self.secrets / which / "username").write_text(username)
        (self.secrets / which / "password").write_text(password)

    def run(self) -> None:
        specter_seed.main(self.seed, self.secrets, self.data)

    def read(self, name: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads((self.data / name).read_text())

    def write(self, name: str, content: object) -> None:
        (self.data / name).write_text(json.dumps(content))

    def lets_in(self, password: str) -> bool:
        """As Specter's user.py verifies it."""
        stored = self.read("users.json")[0]["password"]
        digest = hashlib.pbkdf2_hmac("sha256", password.encode(), stored["salt"].encode(), 10000)
        return digest == base64.b64decode(stored["pwdhash"])


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    made = Disk(tmp_path)
    made.run()
    return made


def test_a_first_start_has_our_node_our_wallet_and_no_known_password(disk: Disk) -> None:
    assert disk.lets_in("correct horse")
    assert not disk.lets_in("admin")
    assert disk.read("config.json")["auth"]["method"] == "usernamepassword"
    node = disk.read("nodes/bitcoind.json")
    assert (node["user"], node["password"], node["host"], node["port"]) == (
        "specter", "rpc-password", "bitcoind.example", 18443,
    )  # fmt: skip
    assert node["external_node"] is True
    shown = disk.read("wallets/regtest/vault.json")
    assert (shown["recv_descriptor"], shown["sigs_required"]) == (PAIR.receive, 2)
    assert all(disk.read(f"devices/{name}.json")["alias"] == name for name in shown["devices"])


def test_specters_wallet_is_the_one_that_is_proven(disk: Disk) -> None:
    uid = disk.read("config.json")["uid"]
    assert os.path.join(f"specter{uid}", "vault") == names.watching(wallet())  # noqa: PTH118 - as Specter does it


def test_nothing_that_holds_a_secret_can_be_read_by_others(disk: Disk) -> None:
    for name in ("users.json", "nodes/bitcoind.json", ".seeded-log-in"):
        assert (disk.data / name).stat().st_mode & 0o077 == 0


def test_a_second_start_changes_nothing(disk: Disk) -> None:
    before = {path: path.read_bytes() for path in disk.data.rglob("*") if path.is_file()}
    disk.run()
    assert before == {path: path.read_bytes() for path in disk.data.rglob("*") if path.is_file()}


def test_what_people_changed_in_specter_stays(disk: Disk) -> None:
    disk.write("devices/ceo.json", disk.read("devices/ceo.json") | {"type": "coldcard"})
    disk.write("wallets/regtest/vault.json", disk.read("wallets/regtest/vault.json") | {"pending_psbts": {"a": {}}})
    disk.write("config.json", disk.read("config.json") | {"unit": "sat", "active_node_alias": "other"})
    users = disk.read("users.json")
    users[0] |= {"password": {"salt": "x", "pwdhash": "eA=="}, "services": ["swan"]}
    disk.write("users.json", [*users, {"id": "guest", "is_admin": False}])
    disk.run()
    assert disk.read("devices/ceo.json")["type"] == "coldcard"
    assert disk.read("wallets/regtest/vault.json")["pending_psbts"] == {"a": {}}
    assert (disk.read("config.json")["unit"], disk.read("config.json")["active_node_alias"]) == ("sat", "other")
    assert disk.read("users.json")[0]["password"]["salt"] == "x"


def test_a_changed_secret_changes_the_password_and_keeps_the_other_users(disk: Disk) -> None:
    users = disk.read("users.json")
    users[0]["encrypted_user_secret"] = {"token": "t"}
    disk.write("users.json", [{"id": "guest", "is_admin": False}, *users])
    disk.secret("admin", "root", "another")
    disk.run()
    assert disk.lets_in("another")
    admin, guest = disk.read("users.json")
    assert (admin["username"], admin["encrypted_user_secret"], guest["id"]) == ("root", None, "guest")


@pytest.mark.parametrize("auth", ["none", {"method": "none"}, None])
def test_a_log_in_is_insisted_on(disk: Disk, auth: object) -> None:
    disk.write("config.json", {"auth": auth, "uid": "1234"})
    disk.run()
    found = disk.read("config.json")
    assert (found["auth"]["method"], found["uid"]) == ("usernamepassword", names.SPECTER_UID)


def test_a_rotated_rpc_password_reaches_the_node(disk: Disk) -> None:
    disk.secret("rpc", "specter", "rotated")
    disk.run()
    assert disk.read("nodes/bitcoind.json")["password"] == "rotated"  # noqa: S105 - a story


def test_deleted_users_are_not_replaced_by_specters_own_default(disk: Disk) -> None:
    (disk.data / "users.json").unlink()
    disk.run()
    assert disk.lets_in("correct horse")
