"""The sample bank is the samples of all kinds with other programs: nothing of them is written twice."""

from pathlib import Path
from typing import Any

import yaml

from bankstack.kinds import RESOURCES

SAMPLES = Path(__file__).parents[3] / "manifests" / "samples"


def read(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((SAMPLES / name).read_text(encoding="utf-8")))


def test_it_stands_on_the_other_samples() -> None:
    assert {"../wallets", "../ledger", "../api"} <= set(read("bank/kustomization.yaml")["resources"])


def test_its_second_node_has_a_wallet_and_a_name_of_its_own() -> None:
    first, second = read("wallets/lnd1.yaml"), read("bank/lnd2.yaml")
    assert first["spec"]["wallet"]["secret"] != second["spec"]["wallet"]["secret"]
    assert {key for key in first["spec"] if first["spec"][key] != second["spec"][key]} == {"wallet", "config"}


def test_its_programs_are_a_good_declaration_and_have_the_time_a_payment_takes() -> None:
    whole = read("api/bank.yaml")["spec"] | read("bank/programs.yaml")["spec"]
    (kind,) = [one for one in RESOURCES if one.kind == "ApiDeployment"]
    spec = kind.spec.model_validate(whole)
    assert all(one["image"] == "bankstack/bank-api:dev" for one in whole["components"])
    assert all(one.stop_seconds >= 60 for one in spec.components)  # type: ignore[attr-defined]
