"""How the process reaches its API server: the pod's ServiceAccount, or a person's kubeconfig.

Knows the `kubernetes` package; nothing else does but `client`.
"""

import os
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

#: At once. More would not be faster, one core makes and reads the messages, and each costs memory.
CONNECTIONS: Final = 12
#: Shorter than the API server's 90 s, so that no request is sent into a connection it is just closing.
KEEP_ALIVE_SECONDS: Final = 60


@dataclass(frozen=True)
class Credentials:
    """The same way in, for a client that is not this package's: kopf's."""

    server: str
    ca_path: str | None
    scheme: str | None
    token: str | None
    certificate_path: str | None
    key_path: str | None


async def credentials(api: ApiClient) -> Credentials:
    """As they are now: a ServiceAccount's token is another one every hour."""
    configuration = api.configuration
    scheme, _, token = (await configuration.get_api_key_with_prefix("BearerToken") or "").partition(" ")
    return Credentials(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        scheme=scheme.capitalize() or None,
        token=token or None,
        certificate_path=configuration.cert_file,
        key_path=configuration.key_file,
    )


class NoWayIn(Exception):
    """Neither a pod's ServiceAccount nor a kubeconfig that can be used."""


async def connect() -> ApiClient:
    """One client for the whole process. Raises NoWayIn."""
    configuration = Configuration()
    try:
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
        else:
            await config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except config.ConfigException as error:
        raise NoWayIn(
            f"no way to the API server ({error}): run it in a pod with a ServiceAccount, or set KUBECONFIG"
        ) from None
    return over(configuration)


def over(configuration: Configuration) -> ApiClient:
    """A client that keeps its connections between two passes: a handshake costs more than a read."""
    configuration.proxy = configuration.proxy or _proxy(configuration.host)
    api = ApiClient(configuration)
    api.rest_client.pool_manager = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=api.rest_client.ssl_context
        ),
        # With it, each request would look for a .netrc in a thread, and wait there behind questions to the DNS.
        trust_env=False,
    )
    return api


def _proxy(server: str) -> str | None:
    """What the environment says of the way there."""
    url = urlsplit(server)
    return None if proxy_bypass(url.hostname or "") else getproxies().get(url.scheme)
