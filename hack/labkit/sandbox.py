"""An OCI runtime that asks for no capability the host does not hold (pure, but for `main`).

`docker run --privileged`, which kind uses, asks for every capability. On a host
that was itself given fewer, runc then refuses to start anything. Installed as the
engine's default runtime only on such hosts; elsewhere it would hide a mistake.

It is run by dockerd in place of runc, alone and many times (each `docker exec`),
so it imports nothing of labkit and no more of the standard library than it needs.
"""

import json
import os
import sys

REAL_RUNTIME = "runc"
_SETS = ("bounding", "effective", "permitted", "inheritable", "ambient")


def held(status: str) -> int:
    """The bounding set as a bit mask, from the text of /proc/self/status."""
    line = next(row for row in status.splitlines() if row.startswith("CapBnd:"))
    return int(line.split()[1], 16)


def missing_bits(status: str, last_capability: int) -> list[int]:
    """Numbers of the capabilities the kernel knows and this host does not hold."""
    mask = held(status)
    return [bit for bit in range(last_capability + 1) if not mask >> bit & 1]


def without(process: dict, names: frozenset[str]) -> dict:  # type: ignore[type-arg]
    """A process specification that asks for none of `names`."""
    capabilities = process.get("capabilities")
    if not capabilities:
        return process
    kept = {key: [cap for cap in capabilities.get(key) or [] if cap not in names] for key in _SETS}
    return {**process, "capabilities": kept}


def rewrite(path: str, names: frozenset[str], *, whole_bundle: bool) -> None:
    """Take `names` out of a bundle's config.json or an exec's process file."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs 8 ms of every docker exec
        spec = json.load(file)
    if whole_bundle:
        spec["process"] = without(spec["process"], names)
    else:
        spec = without(spec, names)
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(spec, file)


def argument(arguments: list[str], *flags: str) -> str | None:
    """The value of the first of `flags`, given as `--flag value` or `--flag=value`."""
    for index, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in flags:
            return value if equals else arguments[index + 1]
    return None


def main(arguments: list[str]) -> None:
    """Rewrite what the engine hands over, then become the real runtime."""
    names = frozenset(os.environ["LAB_MISSING_CAPABILITIES"].split(","))
    if bundle := argument(arguments, "--bundle", "-b"):
        rewrite(f"{bundle}/config.json", names, whole_bundle=True)
    if process := argument(arguments, "--process", "-p"):
        rewrite(process, names, whole_bundle=False)
    os.execvp(REAL_RUNTIME, [REAL_RUNTIME, *arguments])  # noqa: S606 - it takes the runtime's place by design


if __name__ == "__main__":
    main(sys.argv[1:])
