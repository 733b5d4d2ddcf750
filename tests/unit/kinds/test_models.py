import pytest
from pydantic import ValidationError
from tests.misoperations import ALLOWED, Case, sample

from bankstack.engine.model import Part
from bankstack.kinds.apideployment.model import ApiDeploymentSpec
from bankstack.kinds.coldwallet.model import ColdWalletSpec
from bankstack.kinds.ledgercluster.model import LedgerClusterSpec
from bankstack.kinds.lndnode.model import LndNodeSpec
from bankstack.plans.model import ChangePlanSpec

SPECS: dict[str, type[Part]] = {
    "vault": ColdWalletSpec,
    "lnd1": LndNodeSpec,
    "ledger": LedgerClusterSpec,
    "bank": ApiDeploymentSpec,
    "restart-lnd1": ChangePlanSpec,
}


@pytest.mark.parametrize("name", SPECS)
def test_a_sample_is_read_and_written_back_unchanged(name: str) -> None:
    spec = sample(name)["spec"]
    read = SPECS[name].model_validate(spec)
    assert read.model_dump(by_alias=True, exclude_unset=True) == spec


@pytest.mark.parametrize("case", ALLOWED, ids=lambda case: case.name)
def test_an_ordinary_change_is_read(case: Case) -> None:
    SPECS[case.of].model_validate(case.manifest()["spec"])


def test_a_field_nobody_knows_is_named() -> None:
    with pytest.raises(ValidationError, match="nodeSelektor"):
        LndNodeSpec.model_validate(sample("lnd1")["spec"] | {"nodeSelektor": {}})


def test_no_model_has_a_place_for_a_private_key() -> None:
    words = repr(ColdWalletSpec.model_json_schema()).lower()
    assert not any(word in words for word in ("mnemonic", "xprv", "privkey"))
