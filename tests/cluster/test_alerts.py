"""A real Prometheus sees a database over its size, a real Alertmanager tells the operator, one person approves."""

import base64
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest
import yaml

from demokit.outside import Outside
from demokit.shipped import MANIFESTS, NAME, SYSTEM

from .bank import Bank
from .conftest import IMAGES, Lab, Manifest, Room, eventually, pod
from .operated import USER, Operator
from .test_plans import approval, await_state, made, may, plan

BANK: Final = "alerted"
WATCH: Final = "alerting"
FLOOD: Final = 1000
RULES: Final = [
    {
        "name": "database",
        "match": {"alertname": "LndDatabaseTooBig"},
        "target": {"kind": "LndNode", "nameLabel": "name", "namespaceLabel": "namespace"},
        "operation": "Restart",
    },
    {
        "name": "flood",
        "match": {"team": "flood"},
        "target": {"kind": "LndNode", "name": "lnd1", "namespace": BANK},
        "operation": "Restart",
    },
]
#: Posts its standard input so often, with what may be a token; prints the codes.
POST = """
import sys, urllib.error, urllib.request
url, token, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
body = sys.stdin.buffer.read()
for _ in range(times):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        print(urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=20).status)
    except urllib.error.HTTPError as error:
        print(error.code)
"""
OPERATOR_URL: Final = f"http://{NAME}-alerts.{SYSTEM}:8082/alerts"


@dataclass
class Watch(Room):
    """A namespace with Prometheus, Alertmanager, and a pod that posts."""

    def posts(self, url: str, body: object, token: str = "", times: int = 1) -> list[int]:
        words = ("-n", self.name, "exec", "-i", "poster", "--", "python", "-c", POST, url, token, str(times))
        return [int(code) for code in self.lab.kubectl(*words, stdin=json.dumps(body)).split()]

    def fires(self, *labels: dict[str, str]) -> None:
        """Alerts as any client of Alertmanager's may raise them."""
        alerts = [{"labels": one, "annotations": {"summary": "a story"}} for one in labels]
        assert self.posts("http://alertmanager:9093/api/v2/alerts", alerts) == [200]


@pytest.fixture(scope="module")
def token() -> str:
    return secrets.token_hex(32)


@pytest.fixture(scope="module")
def operator(lab: Lab, token: str) -> Iterator[Operator]:
    """Shipped, with a token and an allow-list of its own."""
    lab.does("load", "lnd", "bitcoind", "specter", "prometheus", "alertmanager")
    deployed = Operator.deployed(lab, BANK)
    meta = {"name": "bankstack-alerts"}
    deployed.room.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": {"token": token}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta,
            "data": {"rules.yaml": json.dumps({"rules": RULES})},
        },
    )
    # It would see them by itself, when its kubelet renews the files; a story does not wait for that.
    deployed.room.kubectl("rollout", "restart", f"deployment/{NAME}")
    deployed.room.kubectl("rollout", "status", f"deployment/{NAME}", "--timeout=120s", timeout=150)
    deployed.scale(1)
    yield deployed
    deployed.room.kubectl("delete", "secret,configmap", "bankstack-alerts")


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator) -> Iterator[Bank]:  # noqa: ARG001 - order
    """Both samples Ready on a chain that moves, and bob, who may approve and nothing else."""
    room = Bank.of(lab, BANK)
    room.apply_samples()
    room.apply(may("bob", "bankstack-approve"), may("alice", "bankstack-edit"))
    Outside.started(lab, f"vault-bitcoind-p2p.{BANK}.svc:18444")
    room.await_resources("ColdWallet/vault", "LndNode/lnd1")
    # Of the lab's volumes, which are folders, kubelets tell how full the whole disk is: that is more than this.
    bound = json.dumps({"spec": {"recycle": {"maxDatabaseSize": "1Mi"}}})
    room.kubectl("patch", "lndnode", "lnd1", "--type=merge", "-p", bound)
    yield room
    lab.kubectl("delete", "namespace", "outside", "--wait=false")
    lab.kubectl("delete", "namespace", BANK, "--timeout=150s", timeout=180)


@pytest.fixture(scope="module")
def watch(lab: Lab, bank: Bank, token: str) -> Iterator[Watch]:  # noqa: ARG001 - order
    """Prometheus with the shipped rule and no patience; Alertmanager as docs/alerts.md has it."""
    lab.kubectl("create", "namespace", WATCH)
    lab.kubectl("label", "namespace", WATCH, "bankstack.io/alertmanager=true")
    room = Watch(lab, WATCH)
    room.apply(*may_ask_kubelets())
    encoded = base64.b64encode(token.encode()).decode()
    room.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "data": {"token": encoded}},
        files("prometheus", {"prometheus.yml": scraping(lab), "rules.yml": impatient()}),
        files("alertmanager", {"alertmanager.yml": routing()}),
        server("prometheus", 9090, "--storage.tsdb.path=/data"),
        door("prometheus", 9090),
        server("alertmanager", 9093, "--storage.path=/data", "--cluster.listen-address="),
        door("alertmanager", 9093),
        pod("poster", "east", "python", "-m", "http.server", "8000"),
    )
    room.await_ready("prometheus", "alertmanager", "poster", within=120)
    yield room
    lab.kubectl("delete", "clusterrole,clusterrolebinding", WATCH)
    lab.kubectl("delete", "namespace", WATCH, "--wait=false")


def may_ask_kubelets() -> tuple[Manifest, ...]:
    rbac = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]}
    whom = {"kind": "ServiceAccount", "name": "default", "namespace": WATCH}
    return (
        {"apiVersion": f"{rbac}/v1", "kind": "ClusterRole", "metadata": {"name": WATCH}, "rules": [rule]},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": WATCH},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": WATCH},
            "subjects": [whom],
        },
    )


def files(name: str, content: dict[str, object]) -> Manifest:
    data = {file: yaml.safe_dump(one) for file, one in content.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def scraping(lab: Lab) -> Manifest:
    """The operator, and every kubelet for the size of its volumes."""
    addresses = [
        f"{one['address']}:10250"
        for node in lab.get("nodes")["items"]
        for one in node["status"]["addresses"]
        if one["type"] == "InternalIP"
    ]
    kubelets = {
        "job_name": "kubelets",
        "scheme": "https",
        "tls_config": {"insecure_skip_verify": True},
        "authorization": {"credentials_file": "/var/run/secrets/kubernetes.io/serviceaccount/token"},
        "static_configs": [{"targets": addresses}],
        "metric_relabel_configs": [
            {"source_labels": ["__name__"], "regex": "kubelet_volume_stats_used_bytes", "action": "keep"}
        ],
    }
    operator = {
        "job_name": "bankstack",
        "honor_labels": True,
        "static_configs": [{"targets": [f"{NAME}-metrics.{SYSTEM}:8080"]}],
    }
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": ["/etc/watch/rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]},
        "scrape_configs": [operator, kubelets],
    }


def impatient() -> Manifest:
    """The shipped rule of the database, which waits for 5 seconds only."""
    shipped = yaml.safe_load((MANIFESTS / "monitoring" / "rules.yaml").read_text(encoding="utf-8"))["spec"]
    (rule,) = [one for group in shipped["groups"] for one in group["rules"] if one["alert"] == "LndDatabaseTooBig"]
    return {"groups": [{"name": "story", "rules": [rule | {"for": "5s"}]}]}


def routing() -> Manifest:
    """Repeated without end; one flood in one notification, the other in a thousand."""
    webhook = {
        "url": OPERATOR_URL,
        "http_config": {"authorization": {"credentials_file": "/etc/token/token"}},
    }
    apart = {"matchers": ['alertname="FloodApart"'], "group_by": ["..."], "group_interval": "1h"}
    return {
        "route": {
            "receiver": "bankstack",
            "group_by": ["alertname"],
            "group_wait": "1s",
            "group_interval": "5s",
            "repeat_interval": "10s",
            "routes": [apart],
        },
        "receivers": [{"name": "bankstack", "webhook_configs": [webhook]}],
    }


def server(name: str, port: int, *words: str) -> Manifest:
    """A pod of Prometheus or Alertmanager, its configuration from the ConfigMap of its name."""
    made = pod(name, "east", image=name)
    (container,) = made["spec"]["containers"]
    del container["command"]
    extension = "alertmanager.yml" if name == "alertmanager" else "prometheus.yml"
    container["args"] = [f"--config.file=/etc/watch/{extension}", *words]
    container["readinessProbe"] = {"httpGet": {"path": "/-/ready", "port": port}, "periodSeconds": 1}
    mounts = {"config": "/etc/watch", "token": "/etc/token", "data": "/data"}
    container["volumeMounts"] = [{"name": one, "mountPath": path} for one, path in mounts.items()]
    made["spec"]["volumes"] = [
        {"name": "config", "configMap": {"name": name}},
        {"name": "token", "secret": {"secretName": "token"}},
        {"name": "data", "emptyDir": {}},
    ]
    assert container["image"] == IMAGES[name].reference
    return made


def door(name: str, port: int) -> Manifest:
    spec = {"selector": {"app": name}, "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def plans_of(bank: Bank, rule: str) -> list[str]:
    found = bank.get("changeplans", "-l", f"bankstack.io/alert-rule={rule}")["items"]
    return [one["metadata"]["name"] for one in found]


def counted(operator: Operator, series: str) -> float:
    found = re.search(rf"^{re.escape(series)} (\S+)$", operator.metrics(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_a_database_over_its_size_is_restarted_once_one_person_has_approved(
    bank: Bank, watch: Watch, operator: Operator
) -> None:
    name = "database-lnd1-1"
    # Kubelets measure volumes once a minute.
    took = eventually(lambda: plans_of(bank, "database") == [name], 180, lambda: operator.log()[-2000:])
    print(f"plan made {took:.0f} s after Prometheus was ready")
    asked = bank.get("changeplan", name)
    assert asked["spec"]["requestedBy"] == USER
    assert asked["spec"]["reason"].startswith("alert LndDatabaseTooBig fires since 20")
    alert = json.loads(asked["metadata"]["annotations"]["bankstack.io/alert"])
    assert (alert["labels"]["namespace"], alert["labels"]["name"]) == (BANK, "lnd1")

    shown = await_state(bank, name, "AwaitingApproval")
    assert "1 approval is missing" in shown["missing"][0]
    before = bank.get("pod", "lnd1-0")["metadata"]["uid"]
    made(bank, "bob", approval("bob-agrees", name, "bob", shown["hash"]))
    eventually(
        lambda: plan(bank, name)["state"] not in ("AwaitingApproval", "Running"), 240, lambda: str(plan(bank, name))
    )
    ended = plan(bank, name)
    assert (ended["state"], ended["approvedBy"]) == ("Succeeded", ["bob"])
    assert bank.get("pod", "lnd1-0")["metadata"]["uid"] != before

    # It fires on, and is told again and again: it was answered.
    answered = 'bankstack_alerts_total{result="answered"}'
    told = counted(operator, answered)
    eventually(lambda: counted(operator, answered) > told, 60, "Alertmanager repeats itself")
    assert plans_of(bank, "database") == [name]
    assert watch.posts(OPERATOR_URL, {}) == [401]


def test_a_forged_alert_makes_none(bank: Bank, watch: Watch, operator: Operator, token: str) -> None:
    labels = {"alertname": "LndDatabaseTooBig", "namespace": BANK, "name": "lnd1", "team": "flood"}
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-11-21T00:00:00Z"}
    forged = ["", "x" * len(token), token[:-1], token.upper()]
    assert [watch.posts(OPERATOR_URL, {"alerts": [alert]}, one, times=5) for one in forged] == [[401] * 5] * 4
    assert plans_of(bank, "flood") == []
    assert counted(operator, 'bankstack_alert_requests_total{code="401"}') >= 20
    assert operator.log().count("answered 401") == 1


def test_a_flood_of_a_thousand_alerts_makes_one_plan(bank: Bank, watch: Watch, operator: Operator) -> None:
    for alertname in ("FloodTogether", "FloodApart"):
        watch.fires(*({"alertname": alertname, "team": "flood", "number": str(one)} for one in range(FLOOD)))
    eventually(lambda: plans_of(bank, "flood") == ["flood-lnd1-1"], 60, lambda: operator.log()[-2000:])
    many = 'bankstack_alert_requests_total{code="429"}'
    eventually(lambda: counted(operator, many) > FLOOD / 2, 60, "most of a thousand notifications are turned away")
    answered = [counted(operator, f'bankstack_alert_requests_total{{code="{code}"}}') for code in (200, 429, 500, 503)]
    print(f"answered 200, 429, 500, 503: {answered}")
    assert answered[2] == 0
    assert plans_of(bank, "flood") == ["flood-lnd1-1"]
    await_state(bank, "flood-lnd1-1", "AwaitingApproval")
    bank.kubectl("patch", "changeplan", "flood-lnd1-1", "--type=merge", "-p", '{"spec":{"cancelled":true}}')
    await_state(bank, "flood-lnd1-1", "Cancelled")
    assert operator.forbidden() == []
