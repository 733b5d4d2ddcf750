"""Under which name a Service is dialled."""

from pathlib import Path

import pytest

from bankstack.clients import dialing


@pytest.fixture
def in_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tmp_path / "resolv.conf"
    found.write_text(
        "search bankstack-system.svc.bank.example svc.bank.example bank.example corp.example\n"
        "nameserver 10.96.0.10\noptions ndots:5\n"
    )
    monkeypatch.setattr(dialing, "RESOLV_CONF", found)


@pytest.mark.usefixtures("in_a_cluster")
@pytest.mark.parametrize(
    ("host", "dialled"),
    [
        ("vault-bitcoind.bank.svc", "vault-bitcoind.bank.svc.bank.example."),
        ("bitcoind.example.com", "bitcoind.example.com"),
        ("bitcoind.bank.svc.bank.example", "bitcoind.bank.svc.bank.example."),
        ("10.0.0.1", "10.0.0.1"),
        ("fd00::1", "fd00::1"),
    ],
)
def test_a_service_is_dialled_by_a_name_that_no_search_list_extends(host: str, dialled: str) -> None:
    assert dialing.absolute(host) == dialled


def test_a_namespace_may_be_called_svc_itself(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("search svc.svc.cluster.local svc.cluster.local cluster.local\n")
    assert dialing.cluster_domain(tmp_path / "resolv.conf") == "cluster.local"


@pytest.mark.parametrize(
    "written", [None, "", "nameserver 192.0.2.1\n", "search corp.example\n", "search svc.corp.example corp.example\n"]
)
def test_outside_a_cluster_a_name_stands_as_it_is(
    written: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tmp_path / "resolv.conf"
    if written is not None:
        found.write_text(written)
    monkeypatch.setattr(dialing, "RESOLV_CONF", found)
    assert dialing.absolute("lnd1.bank.svc") == "lnd1.bank.svc"
