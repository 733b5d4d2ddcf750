"""The plugin's own tables against the models and the conditions that the kinds tell."""

import re
from pathlib import Path

import pytest

from bankstack.engine.objects import PLAN_APPROVAL, Ref
from bankstack.engine.operation import RUNNING
from bankstack.kinds import RESOURCES
from bankstack.plans.model import SHAPES
from bankstack.plugin.known import BANK, PLAN, Usage, named
from bankstack.plugin.standing import BAD_WHEN_TRUE, PROOFS
from bankstack.plugin.today import WELL

KINDS = Path(__file__).parents[3] / "operator" / "bankstack" / "kinds"
_TOLD = re.compile(r'(?:Claim|_claim|_need)\(\s*"([A-Z]\w+)"')


def test_every_kind_is_known_by_kubectls_names() -> None:
    known = {(one.type.kind, one.type.plural, one.short) for one in (*BANK, PLAN)}
    shapes = [one for one in (*RESOURCES, *SHAPES) if one.kind != PLAN_APPROVAL.kind]
    assert known == {(one.kind, one.plural, one.short) for one in shapes}
    assert [one.type.kind for one in BANK] == [one.kind for one in RESOURCES]


def test_every_page_is_there() -> None:
    assert [one.page for one in (*BANK, PLAN) if not (KINDS.parents[2] / one.page).is_file()] == []


def test_every_condition_that_a_kind_tells_is_a_proof_or_tells_of_trouble() -> None:
    told = {word for source in KINDS.rglob("*.py") for word in _TOLD.findall(source.read_text(encoding="utf-8"))}
    assert {"Synced", "ChainReady", "SpecterReady", "LedgerReady", "Writable"} <= told
    assert sorted(told - PROOFS.keys() - BAD_WHEN_TRUE) == []
    assert RUNNING in BAD_WHEN_TRUE
    assert WELL.keys() <= PROOFS.keys()


@pytest.mark.parametrize(
    "typed", ["lnd/lnd1", "lndnode/lnd1", "LndNode/lnd1", "lndnodes/lnd1", "lndnode.bankstack.io/lnd1"]
)
def test_a_resource_is_named_as_kubectl_takes_or_prints_it(typed: str) -> None:
    known, one = named(typed)
    assert (known.page, one) == ("docs/lndnode.md", Ref(BANK[1].type, "lnd1"))


@pytest.mark.parametrize("typed", ["lnd1", "lnd/", "/lnd1", "pod/lnd1", "lnd/a/b", ""])
def test_what_names_nothing_is_told_with_the_cure(typed: str) -> None:
    with pytest.raises(Usage, match=r"coldwallet, lndnode, ledgercluster, apideployment, changeplan"):
        named(typed)
