"""What must hold before a bank is begun, each failing check one sentence with the cure (pure)."""

from collections.abc import Callable
from dataclasses import dataclass

from labkit.preflight import GIB, MEMORY

#: Where the sample ledger's members are.
REGIONS = frozenset({"east", "west", "central"})
#: Measured: 1.2 GiB for the whole bank, its outside and the operator, just after it was opened.
BANK_MEMORY = 2 * GIB


@dataclass(frozen=True)
class Machine:
    """The machine and its lab, as far as the bank cares. Sizes in bytes."""

    free_memory: int
    lab: tuple[str, ...]
    """Regions of the lab that runs; empty where none does."""
    clusters: int
    has_bank: bool
    """It is there already, and its memory taken."""
    other_banks: tuple[str, ...]
    """Namespaces with resources of somebody else's bank."""
    has_npm: bool
    has_api_image: bool


def has_memory(machine: Machine) -> str | None:
    """Out of memory shows as pods that are killed again and again."""
    need = 0 if machine.has_bank else BANK_MEMORY + (0 if machine.lab else MEMORY)
    if machine.free_memory >= need:
        return None
    return (
        f"{machine.free_memory / GIB:.1f} GiB of memory are free and the bank needs {need / GIB:.0f}: "
        "stop something large."
    )


def has_regions(machine: Machine) -> str | None:
    """A ledger of three regions stays pending in two."""
    if not machine.lab or (machine.clusters == 1 and set(machine.lab) >= REGIONS):
        return None
    return (
        f"The lab runs {', '.join(machine.lab)} in {machine.clusters} cluster(s) and the sample bank needs "
        f"{', '.join(sorted(REGIONS))} in one: `hack/lab down` first."
    )


def is_alone(machine: Machine) -> str | None:
    """The operator as it is shipped watches one namespace: another bank would be left without one."""
    if not machine.other_banks:
        return None
    return (
        f"There is a bank in {', '.join(machine.other_banks)}, which the demo's operator would not watch: "
        "remove it first, or leave this lab to it."
    )


def has_npm(machine: Machine) -> str | None:
    """The API's packages are installed on this machine and copied into its image."""
    if machine.has_npm or machine.has_api_image:
        return None
    return "npm is not there and the sample bank's API is built with it: install it (`apt-get install npm`)."


CHECKS: tuple[Callable[[Machine], str | None], ...] = (has_regions, is_alone, has_memory, has_npm)


def failures(machine: Machine) -> list[str]:
    """All sentences at once: a person mends them in one go."""
    return [sentence for check in CHECKS if (sentence := check(machine))]
