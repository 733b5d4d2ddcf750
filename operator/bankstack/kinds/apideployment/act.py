"""The only writes around an ApiDeployment that are more than a manifest: Redis' passwords, and word to pods.

What is there is never written over by something newly made: of two Secrets one is
lost, and the other has the same. Only where both are gone is a password made anew.
"""

import asyncio
import secrets
from typing import Final

from bankstack.engine import manifests
from bankstack.engine.decision import Ask
from bankstack.engine.live import all_ours, at_version, made
from bankstack.engine.objects import POD, Manifest, Ref, uid
from bankstack.engine.ports import Act, Cluster
from bankstack.kinds.apideployment import accounts, names
from bankstack.kinds.apideployment.decide import MEND_ACCOUNTS, TELL_PODS
from bankstack.kinds.apideployment.names import Api
from bankstack.kinds.apideployment.observe import ACCOUNTS

PASSWORD_BYTES: Final = 32


async def mend_accounts(api: Api, _ask: Ask, cluster: Cluster) -> None:
    """All of Redis' Secrets, from what is left of them."""
    found = await all_ours((ref(api) for ref in ACCOUNTS), api, cluster)
    read = [None if one is None else manifests.opened(one) for one in found]
    kept = accounts.complete(accounts.gathered(*read), _password)
    # Those who use a password get it before the servers, so that what a crash leaves is enough to go on from.
    wanted = {
        names.redis_inner(api): (found[2], kept.inner()),
        names.redis_api(api): (found[1], kept.api()),
        names.redis_accounts(api): (found[0], kept.servers()),
    }
    for ref, (live, files) in wanted.items():
        if live is None:
            await made(_secret(api, ref, files), api, cluster)
        elif manifests.opened(live) != files:
            await cluster.apply(at_version(_secret(api, ref, files), live), api.namespace)


async def tell_pods(api: Api, ask: Ask, cluster: Cluster) -> None:
    """Touch pods, so that their kubelets renew their files now: all at once, for a plan waits for the last of them."""
    pods = (one.split("/") for one in ask.words["pods"].split())
    told = (_tell(api, Ref(POD, name), life, ask.words["mode"], cluster) for name, life in pods)
    # Each to its end: nothing is written any more when the pass is over.
    for failed in filter(None, await asyncio.gather(*told, return_exceptions=True)):
        raise failed


async def _tell(api: Api, ref: Ref, life: str, mode: str, cluster: Cluster) -> None:
    """Only this life of it, and only the one annotation."""
    live = await cluster.get(ref, api.namespace)
    if live is None or uid(live) != life:
        return
    meta = {"name": ref.name, "namespace": api.namespace, "uid": uid(live)}
    patch = {"apiVersion": "v1", "kind": "Pod", "metadata": meta | {"annotations": {names.TOLD: mode}}}
    await cluster.apply(patch, api.namespace)


ACTS: Final[dict[str, Act]] = {MEND_ACCOUNTS: mend_accounts, TELL_PODS: tell_pods}


def _secret(api: Api, ref: Ref, files: dict[str, bytes]) -> Manifest:
    return manifests.secret(manifests.retained(api, names.REDIS, ref.name), files)


def _password() -> bytes:
    return secrets.token_urlsafe(PASSWORD_BYTES).encode()
