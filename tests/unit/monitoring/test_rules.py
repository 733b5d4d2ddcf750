"""A rule over a metric that nobody has never fires, and a runbook that is not there helps nobody."""

import re
from typing import Final

import pytest
import yaml
from prometheus_client import CollectorRegistry
from tests.unit.alerts.given import Desk

from bankstack.engine.loop import Loop
from bankstack.engine.metrics import Metrics, Seen
from bankstack.engine.objects import Key
from bankstack.kinds.table import KINDS

from .shipped import FOLDER, ROOT, alerts, metrics

#: Of others: kubelets measure volumes.
FOREIGN: Final = {"kubelet_volume_stats_used_bytes"}
ALERTS = alerts()
SOURCES = ROOT / "operator" / "bankstack" / "kinds"


async def told() -> set[str]:
    """Every series that an operator may have."""
    process = Metrics()
    Loop(KINDS, object(), process)  # type: ignore[arg-type] # it is asked nothing
    process.saw(Key("LndNode", "bank", "lnd1"), Seen((("Ready", "True"),), {}, 1.0))
    process.called("get", "Pod", 200)
    registries: tuple[CollectorRegistry, ...] = (process.registry, Desk().registry)
    live = {sample.name for one in registries for family in one.collect() for sample in family.samples}
    gauges = set(re.findall(r'"(bankstack_\w+)"', "".join(one.read_text() for one in SOURCES.glob("*/kind.py"))))
    return live | gauges | FOREIGN


async def test_every_metric_of_a_rule_is_one_that_somebody_tells() -> None:
    known = await told()
    assert {name: metrics(rule["expr"]) - known for name, rule in ALERTS.items() if metrics(rule["expr"]) - known} == {}
    assert all(metrics(rule["expr"]) for rule in ALERTS.values())


@pytest.mark.parametrize("name", ALERTS)
def test_every_condition_of_a_rule_is_one_that_its_kind_claims(name: str) -> None:
    for kind, condition in re.findall(r'kind="(\w+)", condition="(\w+)"', ALERTS[name]["expr"]):
        sources = "".join(one.read_text(encoding="utf-8") for one in (SOURCES / kind.lower()).glob("*.py"))
        assert condition == "Ready" or f'"{condition}"' in sources, (kind, condition)


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_says_how_bad_it_is_what_it_means_and_where_the_cure_is(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert {"summary", "description", "runbook"} == rule["annotations"].keys()
    page, _, heading = rule["annotations"]["runbook"].partition("#")
    lines = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    assert heading in {anchor(line) for line in lines}
    assert f"`{name}`" in (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """As GitHub makes it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_page_s_list_is_the_sample_and_would_be_taken() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    example = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    sample = yaml.safe_load((ROOT / "manifests/samples/alerts/rules.yaml").read_text(encoding="utf-8"))
    assert example == sample
    (rule,) = yaml.safe_load(sample["data"]["rules.yaml"])["rules"]
    assert rule["match"]["alertname"] in ALERTS


def test_what_is_scraped_is_what_the_deployment_serves() -> None:
    monitor = yaml.safe_load((FOLDER / "pod-monitor.yaml").read_text(encoding="utf-8"))["spec"]
    deployment = yaml.safe_load((ROOT / "manifests/base/deployment.yaml").read_text(encoding="utf-8"))["spec"]
    (container,) = deployment["template"]["spec"]["containers"]
    assert monitor["selector"]["matchLabels"].items() <= deployment["template"]["metadata"]["labels"].items()
    assert {one["port"] for one in monitor["podMetricsEndpoints"]} <= {one["name"] for one in container["ports"]}
