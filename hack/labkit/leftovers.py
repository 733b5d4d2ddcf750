"""What an engine leaves on a machine when it stops, and how to take it away (pure).

Only traces of the lab's own engine: it is started only where no other answers.
"""

import re

#: The engine's bridge and the lab's network; nobody else's rules name them.
BRIDGE = "172.31.250.1/24"
SUBNET = "172.31.251.0/24"
_TRACE = re.compile(r"\bDOCKER\b|\bDOCKER-|\bdocker0\b|\bbr-[0-9a-f]{12}\b|\b172\.31\.25[01]\.")


def without_engine(saved: str, forward_policy: str) -> str:
    """An iptables-save text without the engine's chains and rules, and FORWARD's policy as it was."""
    lines = [line for line in saved.splitlines() if not _TRACE.search(line)]
    return "\n".join(re.sub(r"^:FORWARD (ACCEPT|DROP)", f":FORWARD {forward_policy}", line) for line in lines) + "\n"


def forward_policy(saved: str) -> str:
    """The filter table's policy for what is forwarded; ACCEPT where nothing was ever set."""
    found = re.search(r"^\*filter\n(?:.*\n)*?:FORWARD (\w+)", saved, re.MULTILINE)
    return found[1] if found else "ACCEPT"


def mounts_below(mounts: str, *folders: str) -> list[str]:
    """Mount points at and under `folders`, deepest first, from the text of /proc/self/mounts."""
    points = [line.split()[1] for line in mounts.splitlines()]
    return sorted((point for point in points if f"{point}/".startswith(tuple(f"{f}/" for f in folders))), reverse=True)
