"""The rules are run against a model of iptables: what a table holds is what counts, not the words."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import partition
from labkit.partition import Command, Edge

EAST = Edge("n1", "east", "172.31.0.2", "10.244.1.0/24")
WEST = Edge("n2", "west", "172.31.0.3", "10.244.2.0/24")


class Iptables:
    """Chains of rules per table, with iptables' own refusals."""

    def __init__(self) -> None:
        self.chains: dict[tuple[str, str], list[str]] = defaultdict(list)
        for table, hook in (("raw", "PREROUTING"), ("mangle", "POSTROUTING")):
            self.chains[table, hook] = []

    def run(self, command: Command) -> bool:
        """Whether iptables would have ended well; changes nothing where not."""
        _, _, _, table, action, chain, *rest = command
        known = (table, chain) in self.chains
        rules = self.chains[table, chain] if known else []
        match action:
            case "-N" if not known:
                self.chains[table, chain] = []
            case "-A" if known:
                rules.append(" ".join(rest))
            case "-I" if known and (table, rest[-1]) in self.chains:
                rules.insert(0, " ".join(rest[1:]))
            case "-D" if known and " ".join(rest) in rules:
                rules.remove(" ".join(rest))
            case "-F" if known:
                rules.clear()
            case "-X" if known and not rules and not self._referenced(table, chain):
                del self.chains[table, chain]
            case _:
                return False
        return True

    def _referenced(self, table: str, chain: str) -> bool:
        return any(
            f"-j {chain}" in rule for (where, _), rules in self.chains.items() if where == table for rule in rules
        )

    def dropped(self) -> set[str]:
        """Matches of every DROP reachable from a hook."""
        found = set()
        for (table, hook), rules in list(self.chains.items()):
            if hook in {"PREROUTING", "POSTROUTING"}:
                for jump in rules:
                    found |= {f"{hook} {rule}" for rule in self.chains[table, jump.split()[-1]]}
        return found


def test_a_cut_drops_everything_both_ways() -> None:
    node = Iptables()
    assert all(node.run(command) for command in partition.cut_all())
    assert node.dropped() == {"PREROUTING -i eth0 -j DROP", "POSTROUTING -o eth0 -j DROP"}


def test_a_cut_from_one_region_drops_its_node_and_its_pods_and_nobody_else() -> None:
    node = Iptables()
    assert all(node.run(command) for command in partition.cut_from(WEST))
    assert node.dropped() == {
        "PREROUTING -s 172.31.0.3 -j DROP",
        "PREROUTING -s 10.244.2.0/24 -j DROP",
        "POSTROUTING -d 172.31.0.3 -j DROP",
        "POSTROUTING -d 10.244.2.0/24 -j DROP",
    }


@given(st.integers(0, 6), st.integers(0, 5))
def test_a_heal_removes_all_of_a_cut_however_far_it_came(commands: int, healed_before: int) -> None:
    node = Iptables()
    for command in partition.cut_all()[:commands]:
        node.run(command)
    heal = partition.heal([partition.EVERYONE])
    for command in [*heal[:healed_before], *heal]:
        node.run(command)
    assert node.chains == Iptables().chains


def test_healing_one_pair_leaves_the_other_cut() -> None:
    node = Iptables()
    for command in [*partition.cut_from(EAST), *partition.cut_from(WEST)]:
        node.run(command)
    for command in partition.heal([partition.chain_for("east")]):
        node.run(command)
    assert {rule.split()[2] for rule in node.dropped()} == {WEST.ip, WEST.pod_cidr}


@pytest.mark.parametrize("region", ["a", "a" * 20])
def test_a_chain_name_fits_what_iptables_allows(region: str) -> None:
    assert len(partition.chain_for(region)) <= 28
