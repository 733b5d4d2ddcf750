"""Each alert fires when it should and keeps quiet when it should, by Prometheus' own word.

Where promtool is: `hack/lab images --only prometheus` builds it, `hack/test soak` does so.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from labkit import catalog
from labkit.build import Workshop

from .shipped import alerts, spec

NODE: Final = 'namespace="bank", name="lnd1"'
GIB: Final = 2**30


def condition(kind: str, name: str, values: str) -> dict[str, str]:
    series = f'bankstack_condition{{kind="{kind}", namespace="bank", name="lnd1", condition="{name}"}}'
    return {"series": series, "values": values}


def of_node(name: str, values: str) -> dict[str, str]:
    return {"series": f"{name}{{{NODE}}}", "values": values}


def plain(series: str, values: str) -> dict[str, str]:
    return {"series": series, "values": values}


LAG: Final = [
    plain(f'bankstack_loop_lag_seconds_bucket{{pod="a", le="{le}"}}', "0+{}x60") for le in ("0.1", "1", "+Inf")
]


def lag(*steps: int) -> list[dict[str, str]]:
    return [one | {"values": one["values"].format(step)} for one, step in zip(LAG, steps, strict=True)]


def htlcs(blocks_left: str, pending: str, pod: str = "a") -> list[dict[str, str]]:
    told = {"bankstack_lndnode_htlc_blocks_left": blocks_left, "bankstack_lndnode_pending_htlcs": pending}
    return [plain(f'{name}{{{NODE}, pod="{pod}"}}', values) for name, values in told.items()]


def volume(gib: int, claim: str = "lnd1-data", most: int = 8) -> list[dict[str, str]]:
    of = f'kubelet_volume_stats_used_bytes{{namespace="bank", persistentvolumeclaim="{claim}"}}'
    # Told by the operator that acts, and by the one that did before it.
    bound = [f'bankstack_lndnode_max_database_bytes{{{NODE}, pod="{one}"}}' for one in ("a", "b")]
    return [plain(of, f"{gib * GIB}x60"), *(plain(one, f"{most * GIB}x60") for one in bound)]


Series = list[dict[str, str]]
#: Alert → when it fires, by which minute, and what is near it and must not fire.
CASES: Final[dict[str, tuple[Series, int, list[Series]]]] = {
    "LndNodeNotReady": (
        [condition("LndNode", "Ready", "0x20")],
        12,
        [[condition("LndNode", "Ready", "0x5 1x20")], [condition("ColdWallet", "Ready", "0x20")]],
    ),
    "LndChannelBackupStale": (
        [condition("LndNode", "ChannelBackup", "0x20")],
        7,
        [[condition("LndNode", "ChannelBackup", "-1x20")], [condition("LndNode", "ChannelBackup", "0x3 1x20")]],
    ),
    "LndBackupNotStored": (
        [condition("LndNode", "BackupStored", "-1x10 0x20")],
        17,
        [[condition("LndNode", "BackupStored", "0x10 1x20")], [condition("LndNode", "ChannelBackup", "0x20")]],
    ),
    "LndHtlcNearExpiry": (
        [of_node("bankstack_lndnode_htlc_blocks_left", "11x10")],
        3,
        [
            [of_node("bankstack_lndnode_htlc_blocks_left", "12x10")],
            [],
            # It ended, and LND has no other; nor when it goes silent after that.
            htlcs("11 11 stale", "1 1 0x20"),
            htlcs("11 11 stale", "1 1 0 stale"),
            # Silent with one that has time.
            htlcs("12 12 stale", "1 1 stale"),
            # Told by an operator that was replaced since: LND answers the one that acts.
            [*htlcs("11 11 stale", "1 1 stale", pod="a"), *htlcs("_x30", "_ _ 0x20", pod="b")],
            [*htlcs("11 11 stale", "1 1 stale", pod="a"), *htlcs("_ _ 40x20", "_ _ 1x20", pod="b")],
        ],
    ),
    "LndCertificateExpires": (
        [of_node("bankstack_lndnode_certificate_expires_timestamp_seconds", "1000000x90")],
        70,
        [[of_node("bankstack_lndnode_certificate_expires_timestamp_seconds", f"{15 * 86400}x90")]],
    ),
    "LndDatabaseTooBig": (
        volume(9),
        35,
        [volume(8), volume(9)[:1], volume(9, most=10), volume(9, claim="lnd1-0-data"), volume(9, claim="lnd1-data-x")],
    ),
    "LedgerWithoutPrimary": (
        [condition("LedgerCluster", "Writable", "-1x10")],
        4,
        [[condition("LedgerCluster", "Writable", "1x10")], [condition("LedgerCluster", "Writable", "-1 1x10")]],
    ),
    "LedgerWritesNotProven": (
        [of_node("bankstack_ledgercluster_writes_proven_timestamp_seconds", "0x20")],
        7,
        [
            [of_node("bankstack_ledgercluster_writes_proven_timestamp_seconds", "-120+60x20")],
            [of_node("bankstack_ledgercluster_writes_proven_timestamp_seconds", "0x4 300+60x20")],
            [],
        ],
    ),
    "LedgerClusterNotReady": (
        [condition("LedgerCluster", "Ready", "0x20")],
        12,
        [[condition("LedgerCluster", "Ready", "0x5 1x20")], [condition("LedgerCluster", "Writable", "0x20")]],
    ),
    "LedgerMemberLags": (
        [of_node("bankstack_ledgercluster_lag_seconds", "61x20")],
        12,
        [[of_node("bankstack_ledgercluster_lag_seconds", "60x20")]],
    ),
    "LedgerClientsAskForLess": (
        [condition("LedgerCluster", "WriteConcernKept", "0x10")],
        3,
        [[condition("LedgerCluster", "WriteConcernKept", "-1x10")]],
    ),
    "ApiNotFull": (
        [condition("ApiDeployment", "FullService", "0x20")],
        7,
        [[condition("ApiDeployment", "FullService", "0x3 1x20")]],
    ),
    "ApiDeploymentNotReady": (
        [condition("ApiDeployment", "Ready", "0x20")],
        12,
        [[condition("ApiDeployment", "Ready", "0x5 1x20")], [condition("ApiDeployment", "Writable", "0x20")]],
    ),
    "ColdWalletNotReady": (
        [condition("ColdWallet", "Ready", "0x60")],
        32,
        [[condition("ColdWallet", "Ready", "0x20 1x60")]],
    ),
    "RetiredCoinsArrived": (
        [condition("ColdWallet", "RetiredCoins", "0 0 1x20")],
        3,
        [[condition("ColdWallet", "RetiredCoins", "0x5")], [condition("LndNode", "RetiredCoins", "1x5")]],
    ),
    "PlanWaitsForApproval": (
        [plain(f'bankstack_plan_asked_timestamp_seconds{{kind="LndNode", {NODE}}}', "60x90")],
        65,
        [[plain(f'bankstack_plan_asked_timestamp_seconds{{kind="LndNode", {NODE}}}', "1200x90")], []],
    ),
    "PlanTakesLong": (
        [condition("LndNode", "PlanRunning", "1x130")],
        125,
        [[condition("LndNode", "PlanRunning", "1x100 0x30")]],
    ),
    "BankstackOperatorAbsent": (
        [],
        12,
        [[plain('bankstack_resources{kind="LndNode", condition="Ready", status="True"}', "1x30")]],
    ),
    "BankstackQueueLong": (
        [plain("bankstack_queue_depth", "21x40")],
        30,
        [[plain("bankstack_queue_depth", "200 200 0x40")], [plain("bankstack_queue_depth", "20x40")]],
    ),
    "BankstackLoopLags": (lag(90, 98, 100), 20, [lag(100, 100, 100), []]),
    "BankstackDefect": (
        [plain('bankstack_crashes_total{kind="LndNode"}', "0 0 1x20")],
        5,
        [[plain('bankstack_crashes_total{kind="LndNode"}', "7x20")]],
    ),
    "BankstackApiServerSilent": (
        [
            plain('bankstack_api_requests_total{code="none"}', "0+1x30"),
            plain('bankstack_api_requests_total{code="503"}', "0+2x30"),
            plain('bankstack_api_requests_total{code="200"}', "0+10x30"),
        ],
        14,
        [
            [
                plain('bankstack_api_requests_total{code="503"}', "0+1x30"),
                plain('bankstack_api_requests_total{code="409"}', "0+20x30"),
            ]
        ],
    ),
    "BankstackAlertsForged": (
        [plain('bankstack_alert_requests_total{code="401"}', "0 0 3x20")],
        5,
        [[plain('bankstack_alert_requests_total{code="422"}', "0 0 3x20")]],
    ),
    "BankstackAlertRulesMistaken": (
        [plain("bankstack_alert_rules_mistakes", "2x10")],
        7,
        [[plain("bankstack_alert_rules_mistakes", "0x10")]],
    ),
}


def promtool() -> Path | None:
    """The lab's, else the machine's."""
    workshop = Workshop(catalog.load())
    if workshop.is_built("promtool"):
        return workshop.program("promtool")
    found = shutil.which("promtool")
    return Path(found) if found else None


pytestmark = pytest.mark.skipif(promtool() is None, reason="promtool is not built: hack/lab images --only prometheus")


def says(words: list[str], folder: Path) -> str:
    ended = subprocess.run([str(promtool()), *words], cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{ended.stdout}{ended.stderr}"
    return ended.stdout


def looks(alert: str, series: Series, minute: int, fires: int) -> dict[str, Any]:
    firing = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)'
    asked = {"expr": firing, "eval_time": f"{minute}m", "exp_samples": [{"labels": "{}", "value": fires}]}
    return {"name": alert, "interval": "1m", "input_series": series, "promql_expr_test": [asked]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the shipped rules as a plain rule file."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec()), encoding="utf-8")
    return tmp_path


def asked(folder: Path, tests: list[dict[str, Any]]) -> None:
    file = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yaml").write_text(yaml.safe_dump(file), encoding="utf-8")
    says(["test", "rules", "tests.yaml"], folder)


def test_the_shipped_rules_are_a_rule_file(folder: Path) -> None:
    assert f"{len(alerts())} rules found" in says(
        ["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"], folder
    )


def test_every_alert_has_its_case() -> None:
    assert set(CASES) == set(alerts())


@pytest.mark.parametrize("alert", CASES)
def test_it_fires_when_it_should_and_not_when_it_should_not(folder: Path, alert: str) -> None:
    fires, minute, quiet = CASES[alert]
    end = [looks(alert, series, other, 0) for series in quiet for other in (minute, minute + 10)]
    asked(folder, [looks(alert, fires, minute, 1), looks(alert, fires, 0, 0), *end])


def test_a_payment_short_of_blocks_is_told_while_its_lnd_is_silent_and_until_it_says_that_there_is_none(
    folder: Path,
) -> None:
    silent, back = htlcs("11 11 stale", "1 1 stale"), htlcs("11 11 stale", "1 1 stale _x17 0x20")
    # What it has on its way it tells, and at which height it is it does not.
    half = htlcs("11 11 stale", "1x40")
    later = [looks("LndHtlcNearExpiry", silent, 300, 1), looks("LndHtlcNearExpiry", silent, 365, 0)]
    told = [looks("LndHtlcNearExpiry", back, 15, 1), looks("LndHtlcNearExpiry", back, 25, 0)]
    asked(folder, [*later, *told, looks("LndHtlcNearExpiry", half, 30, 1)])


def test_what_people_read_names_the_resource(folder: Path) -> None:
    rule = alerts()["LndDatabaseTooBig"]
    labels = {"severity": "warning", "namespace": "bank", "name": "lnd1", "persistentvolumeclaim": "lnd1-data"}
    summary = "The volume of LndNode bank/lnd1 holds 9GiB, more than its recycle.maxDatabaseSize"
    said = rule["annotations"] | {"summary": summary}
    expected = [{"exp_labels": labels, "exp_annotations": said}]
    told = {"eval_time": "40m", "alertname": "LndDatabaseTooBig", "exp_alerts": expected}
    asked(folder, [{"interval": "1m", "input_series": volume(9), "alert_rule_test": [told]}])


def test_the_volume_of_a_wallet_that_replaced_another_counts_as_well(folder: Path) -> None:
    asked(folder, [looks("LndDatabaseTooBig", volume(9, claim="lnd1-data-2"), 40, 1)])
