"""A bank in memory with one ColdWallet and its bitcoind."""

import base64
from typing import Any

from tests.simulation.neighbours import all_healthy
from tests.simulation.world import NAMESPACE, World

from bankstack.engine.objects import SECRET, Type
from bankstack.engine.ports import resource_type
from bankstack.kinds.coldwallet import model
from bankstack.kinds.coldwallet.kind import kind

from .fake_bitcoind import FakeBitcoind
from .given import manifest

OURS = resource_type(model.RESOURCE)
WATCHING = "specter-bankstack/vault"


class Bank(World):
    def __init__(self, **more: Any) -> None:  # noqa: ANN401 - as World takes them
        self.bitcoind = FakeBitcoind()
        self.sick: set[str] = set()
        super().__init__(
            kind(self.bitcoind.connect),
            healthy=lambda pod: all_healthy(pod) and pod["metadata"]["name"] not in self.sick,
            **more,
        )

    def declare(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the spec
        made = manifest(**changes)
        made["metadata"] = {"name": "vault", "namespace": NAMESPACE}
        self.user_applies(OURS, made)

    @property
    def status(self) -> dict[str, Any]:
        found = self.live(OURS, "vault")
        assert found is not None
        status: dict[str, Any] = found.get("status", {})
        return status

    def says(self, condition: str) -> tuple[str, str]:
        one = next(one for one in self.status["conditions"] if one["type"] == condition)
        return one["status"], one["reason"]

    def remove(self, of: Type, name: str) -> None:
        self.server.delete(self.key(of, name))

    def secret(self, name: str) -> dict[str, str]:
        found = self.live(SECRET, name)
        assert found is not None
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def make_secret(self, name: str, **files: str) -> None:
        data = {key: base64.b64encode(value.encode()).decode() for key, value in files.items()}
        made = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": data}
        self.user_applies(SECRET, made)

    def pods(self) -> dict[str, str]:
        """Which life of each pod."""
        return {key.name: self.server.objects[key].manifest["metadata"]["uid"] for key in self.server.all("Pod")}

    def contents(self) -> dict[str, object]:
        found = {key: self.server.objects[key].manifest for key in self.server.all()}
        return {str(key): (one.get("spec"), one.get("data")) for key, one in found.items()}
