"""Keeps out of the process what nobody in it uses. Imported first.

The packages of `kubernetes` import all they have: a synchronous client, requests,
websockets. Of it the operator uses one asynchronous ApiClient, and kopf two model
classes, only to recognise them in arguments that it never gets. And asyncio keeps
256 KiB for each TLS connection, of which a watch fills a few. Measured: 10 MiB and
170 ms less; 6 MiB less with twenty watches.
"""

import importlib.util
import sys
from asyncio import sslproto
from typing import Final

#: Packages whose modules are there but whose own `__init__` is not run.
BARE: Final = ("kubernetes", "kubernetes.client", "kubernetes.aio", "kubernetes.aio.utils")

for _name in BARE:
    if _name not in sys.modules and (_spec := importlib.util.find_spec(_name)) is not None:
        sys.modules[_name] = importlib.util.module_from_spec(_spec)

#: Bytes read at once from a TLS connection: a TLS record has 16 KiB.
sslproto.SSLProtocol.max_size = 32 * 1024
