"""How the process reaches its API server: the pod's ServiceAccount, or a person's kubeconfig.

Knows the `kubernetes` package; nothing else does but `client`.
"""

import os
from typing import Final

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

#: At once: some workers with a dozen reads each. More would only queue at the server.
CONNECTIONS: Final = 32
#: Shorter than the API server's 90 s, so that no request is sent into a connection it is just closing.
KEEP_ALIVE_SECONDS: Final = 60


async def connect() -> ApiClient:
    """One client for the whole process. Raises config.ConfigException where there is no way in."""
    configuration = Configuration()
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        config.load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    else:
        await config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    return over(configuration)


def over(configuration: Configuration) -> ApiClient:
    """A client that keeps its connections between two passes: a handshake costs more than a read."""
    api = ApiClient(configuration)
    api.rest_client.pool_manager = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=api.rest_client.ssl_context
        ),
        trust_env=True,
    )
    return api
