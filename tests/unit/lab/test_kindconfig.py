import json
from pathlib import Path

import pytest

from labkit import kindconfig, regions

GOLDEN = Path(__file__).with_name("golden")


@pytest.mark.parametrize("reduced", [False, True])
def test_the_whole_configuration(reduced: bool) -> None:  # noqa: FBT001 - a parameter of the case
    plan = regions.deal(["east", "west"], 1)[0]
    config = kindconfig.config(plan, "kindest/node:v1.34.4", "/lab/audit", "/lab/policy", reduced=reduced)
    expected = GOLDEN / f"kind-{'reduced' if reduced else 'plain'}.json"
    assert json.dumps(config, indent=1) + "\n" == expected.read_text(encoding="utf-8")


def test_a_host_with_all_capabilities_gets_no_patch_it_does_not_need() -> None:
    plan = regions.deal(["east"], 1)[0]
    assert "oomScoreAdj" not in json.dumps(kindconfig.config(plan, "i", "/a", "/p", reduced=False))


def test_request_bodies_never_reach_the_audit_log() -> None:
    levels = {rule["level"] for rule in kindconfig.AUDIT_POLICY["rules"]}
    assert levels == {"None", "Metadata"}
