from pathlib import Path

import pytest
from kubernetes.aio.client.configuration import Configuration

from bankstack.kube import connection
from bankstack.kube.connection import Credentials, NoWayIn, connect, credentials, over

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: bank
contexts: [{name: bank, context: {cluster: bank, user: me}}]
clusters: [{name: bank, cluster: {server: "https://api.example:6443"}}]
users: [{name: me, user: {token: t0ken}}]
"""


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)


async def test_a_persons_kubeconfig_is_a_way_in_for_both_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    monkeypatch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "config"))
    api = await connect()
    assert await credentials(api) == Credentials("https://api.example:6443", None, "Bearer", "t0ken", None, None)
    await api.close()  # type: ignore[no-untyped-call]


async def test_no_way_in_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(tmp_path / "none"))
    with pytest.raises(NoWayIn, match="set KUBECONFIG"):
        await connect()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(NoWayIn, match="ServiceAccount"):
        await connect()


async def test_a_token_that_is_renewed_is_given_as_it_is_now() -> None:
    configuration = Configuration(host="https://api")
    tokens = iter(["bearer first", "bearer second"])

    def renew(of: Configuration) -> None:
        of.api_key["BearerToken"] = next(tokens)

    renew(configuration)
    configuration.refresh_api_key_hook = renew  # type: ignore[assignment]
    api = over(configuration)
    assert (await credentials(api)).token == "second"  # noqa: S105 - a story's
    assert api.rest_client.pool_manager is not None
    assert api.rest_client.pool_manager.connector is not None
    assert api.rest_client.pool_manager.connector.limit == connection.CONNECTIONS
    await api.close()  # type: ignore[no-untyped-call]


async def test_a_proxy_is_the_environments_unless_it_excepts_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example,fd00::1")
    proxy = "http://proxy.example:3128"
    for host, way in (("far.example:6443", proxy), ("near.example:6443", None), ("[fd00::1]:443", None)):
        api = over(Configuration(host=f"https://{host}"))
        assert api.rest_client.proxy == way
        await api.close()  # type: ignore[no-untyped-call]


async def test_no_netrc_is_looked_for_with_each_request() -> None:
    api = over(Configuration(host="https://api.example"))
    assert api.rest_client.pool_manager is not None
    assert not api.rest_client.pool_manager.trust_env
    await api.close()  # type: ignore[no-untyped-call]
