"""What an engine leaves on a machine when it stops, and how to take it away (pure).

Only traces of the lab's own engine: it is started only where no other answers.
"""

import re

#: The engine's own bridge: docker0 is another engine's, and stays untouched.
BRIDGE = "bankstack0"
BRIDGE_ADDRESS = "172.31.250.1/24"
SUBNET = "172.31.251.0/24"
_TRACE = re.compile(r"\bDOCKER\b|\bDOCKER-|\bbankstack0\b|\bbr-[0-9a-f]{12}\b|\b172\.31\.25[01]\.")


def of_another_engine(saved: str, links: str) -> str:
    """The first trace of another engine in iptables-save's and `ip -br link`'s texts; empty if there is none."""
    if found := re.search(r"^:(DOCKER\S*)", saved, re.MULTILINE):
        return f"the packet filter's chain {found[1]}"
    return "the interface docker0" if re.search(r"^docker0\b", links, re.MULTILINE) else ""


def without_engine(saved: str, forward_policy: str) -> str:
    """An iptables-save text without the engine's chains and rules, and the filter's FORWARD policy as it was."""
    lines, table = [], ""
    for line in saved.splitlines():
        table = line if line.startswith("*") else table
        if _TRACE.search(line):
            continue
        own = table == "*filter"
        lines.append(re.sub(r"^:FORWARD \w+", f":FORWARD {forward_policy}", line) if own else line)
    return "\n".join(lines) + "\n"


def forward_policy(saved: str) -> str:
    """The filter table's policy for what is forwarded; ACCEPT where nothing was ever set."""
    found = re.search(r"^\*filter\n(?:.*\n)*?:FORWARD (\w+)", saved, re.MULTILINE)
    return found[1] if found else "ACCEPT"


def mounts_below(mounts: str, *folders: str) -> list[str]:
    """Mount points at and under `folders`, deepest first, from the text of /proc/self/mounts."""
    points = [line.split()[1] for line in mounts.splitlines()]
    return sorted((point for point in points if f"{point}/".startswith(tuple(f"{f}/" for f in folders))), reverse=True)
