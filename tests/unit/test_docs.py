"""What people are told must be in the docs: every reason, with what to do."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KINDS = sorted(path.parent.name for path in (ROOT / "operator" / "bankstack" / "kinds").glob("*/decide.py"))
_FINDING = re.compile(r'(?:Finding|Silent|NoAnswer)\(\s*"([A-Z]\w+)"')
_METRIC = re.compile(r'"(bankstack_[a-z_]+)"[,:\]]')
_CLAIM = re.compile(r'Claim\(\s*"(\w+)",\s*"\w+",\s*"(\w+)"')


@pytest.mark.parametrize("kind", KINDS)
def test_every_reason_is_explained(kind: str) -> None:
    told = set()
    for source in (ROOT / "operator" / "bankstack" / "kinds" / kind).glob("*.py"):
        text = source.read_text(encoding="utf-8")
        told |= set(_FINDING.findall(text)) | {word for pair in _CLAIM.findall(text) for word in pair}
    page = (ROOT / "docs" / f"{kind}.md").read_text(encoding="utf-8")
    assert sorted(word for word in told if f"`{word}`" not in page) == []


@pytest.mark.parametrize("kind", [*KINDS, "changeplan", "planapproval"])
def test_the_example_is_the_sample_that_the_stories_run(kind: str) -> None:
    page = (ROOT / "docs" / f"{kind}.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    samples = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in (ROOT / "manifests/samples").rglob("*.yaml")
    ]
    assert example in samples


def test_every_metric_is_explained() -> None:
    sources = (ROOT / "operator" / "bankstack").rglob("*.py")
    told = {name for source in sources for name in _METRIC.findall(source.read_text(encoding="utf-8"))}
    page = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
    explained = {name.removesuffix("_total") for name in re.findall(r"`(bankstack_[a-z_]+)`", page)}
    assert sorted(told ^ explained) == []
