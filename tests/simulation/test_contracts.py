"""The fake bitcoind keeps the contracts that the real one is held to in tests/cluster/test_fakes_are_honest.py."""

from bankstack.clients import bitcoind as client
from bankstack.kinds.coldwallet import config, credentials, rights
from bankstack.kinds.coldwallet.model import Bitcoind

from .bitcoind import Bitcoinds
from .contracts import CONTRACTS
from .faults import Calls
from .line import Line
from .pods import Mounts, Process

PASSWORD = "contract-password"  # noqa: S105 - of a test


class OneHost:
    """Stands in for Software: every host is this bitcoind."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def reach(self, _host: str) -> Process:
        return self._process


async def test_the_fake_bitcoind_is_honest() -> None:
    line = credentials.line(rights.OPERATOR, PASSWORD.encode())
    conf = config.text(Bitcoind.model_validate({"version": "29.5", "storage": {"size": "1Gi"}}), "regtest")
    mounted = Mounts(
        pod="p", namespace="bank", claims={"data": "d"}, environment={},
        secrets={"rpcauth": {credentials.RPCAUTH: f"rpcauth={line}\n".encode()}}, files={"config": {config.FILE: conf}},
    )  # fmt: skip
    bitcoinds = Bitcoinds()
    bitcoinds.software = OneHost(bitcoinds.start(mounted))  # type: ignore[assignment]
    account = client.Account("bitcoind", 18443, rights.OPERATOR, PASSWORD)
    for contract in CONTRACTS:
        await contract(bitcoinds.connect(Line(Calls())), account)
