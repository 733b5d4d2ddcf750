"""The lab's object store as its stories see it: a pod with one bucket, and what is in that."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bankstack.clients import s3

from .conftest import IMAGES, RESTRICTED, Manifest

T = TypeVar("T")

NAME, PORT, BUCKET, REGION = "store", 7070, "backups", "us-east-1"
ACCESS_KEY, SECRET_KEY = "AKIDBANK", "planted-store-key-3e7b"


def manifests() -> list[Manifest]:
    """A pod and its Service. A bucket is a folder; what is in it is gone with the pod."""
    container = {
        "name": "main",
        "image": IMAGES["s3"].reference,
        "imagePullPolicy": "Never",
        "args": ["--port", f":{PORT}", "--region", REGION, "posix", "--sidecar", "/about", "/data"],
        "env": [{"name": "ROOT_ACCESS_KEY", "value": ACCESS_KEY}, {"name": "ROOT_SECRET_KEY", "value": SECRET_KEY}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "top", "mountPath": "/data"},  # where it keeps its locks
            {"name": BUCKET, "mountPath": f"/data/{BUCKET}"},
            {"name": "about", "mountPath": "/about"},
        ],
        "securityContext": RESTRICTED,
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "securityContext": {"fsGroup": 1000},
        "containers": [container],
        "volumes": [{"name": name, "emptyDir": {}} for name in ("top", BUCKET, "about")],
    }
    return [
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME, "labels": {"app": NAME}}, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME},
            "spec": {"selector": {"app": NAME}, "ports": [{"port": PORT}]},
        },
    ]


def asked(port: int, question: Callable[[s3.Store], Coroutine[Any, Any, T]]) -> T:
    """What the bucket answers to the bank, by a forwarded port."""

    async def answer() -> T:
        async with s3.connect(account(port)) as store:
            return await question(store)

    return asyncio.run(answer())


def account(port: int) -> s3.Account:
    """As the bank, by a forwarded port."""
    return s3.Account(f"http://127.0.0.1:{port}", REGION, BUCKET, ACCESS_KEY, SECRET_KEY)
