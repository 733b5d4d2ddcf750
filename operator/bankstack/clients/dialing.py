"""Under which name a Service is dialled: one that nobody but the cluster's own DNS can answer.

A short name like `vault-bitcoind.bank.svc` goes through the pod's search list. While its Service
is not known yet the next domain of that list is asked, and where somebody answers for every name
a stranger gets the password. An absolute name ends with a dot: there is no next one to try, and
one question does where three were asked.
"""

from functools import cache
from pathlib import Path
from typing import Final

RESOLV_CONF: Final = Path("/etc/resolv.conf")


def absolute(host: str) -> str:
    """A Service's name with the domain of the cluster that this process is in and the final dot."""
    return within(host, cluster_domain(RESOLV_CONF))


def within(host: str, domain: str | None) -> str:
    """The same in a cluster of this domain (pure); where none is known, and any other host, as it stands."""
    if domain and host.endswith((".svc", f".svc.{domain}")):
        return f"{host.removesuffix(f'.{domain}')}.{domain}."
    return host


@cache
def cluster_domain(resolv_conf: Path) -> str | None:
    """From what the kubelet writes: `search NAMESPACE.svc.DOMAIN svc.DOMAIN DOMAIN …`; None outside a cluster."""
    try:
        lines = resolv_conf.read_text().splitlines()
    except OSError:
        return None
    searched = [word.rstrip(".") for line in lines if line.startswith("search ") for word in line.split()[1:]]
    domains = (word.removeprefix("svc.") for word in searched if word.startswith("svc."))
    return next((one for one in domains if any(word.endswith(f".svc.{one}") for word in searched)), None)
