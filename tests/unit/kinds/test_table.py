from collections.abc import Callable

import pytest

from bankstack.engine.ports import Kind
from bankstack.kinds import RESOURCES, table
from bankstack.kinds.apideployment.kind import kind as api_deployment
from bankstack.kinds.ledgercluster.kind import kind as ledger_cluster
from bankstack.kinds.lndnode.kind import kind as lnd_node

ROWS = {"LndNode": lnd_node, "LedgerCluster": ledger_cluster, "ApiDeployment": api_deployment}


def test_every_declared_kind_has_its_row() -> None:
    assert [kind.resource for kind in table.KINDS] == list(RESOURCES)


@pytest.mark.parametrize(("name", "row"), ROWS.items())
def test_a_late_row_is_its_kinds_own(name: str, row: Callable[[], Kind]) -> None:
    (late,) = [kind for kind in table.KINDS if kind.resource.kind == name]
    own = row()
    assert (late.resource, late.children, late.type) == (own.resource, own.children, own.type)
    assert dict(late.act).keys() == own.act.keys()
    assert len(late.act) == len(own.act)


async def test_a_late_row_passes_on_what_it_is_asked() -> None:
    asked: list[object] = []

    async def observe(*given: object) -> str:
        asked.append(given)
        return "facts"

    own = Kind(
        resource=lnd_node().resource,
        children=(),
        observe=observe,
        decide=lambda *given: given,  # type: ignore[arg-type]
        references=lambda spec: (spec, "reference"),  # type: ignore[arg-type, return-value]
        gauges=lambda facts: {str(facts): 1.0},
        bounds=lambda subject: {str(subject): 2.0},
        heard_by=lambda status: (str(status["to"]),),
    )
    late = table.late(own.resource, (), lambda: own)
    assert await late.observe("subject", "reader") == "facts"  # type: ignore[arg-type]
    assert asked == [("subject", "reader")]
    assert late.decide("subject", "facts", "now") == ("subject", "facts", "now")  # type: ignore[arg-type, comparison-overlap]
    assert late.references("spec") == ("spec", "reference")  # type: ignore[comparison-overlap]
    assert late.gauges("facts") == {"facts": 1.0}
    assert late.bounds("subject") == {"subject": 2.0}
    assert late.heard_by({"to": "LndNode.lnd1"}) == ("LndNode.lnd1",)
