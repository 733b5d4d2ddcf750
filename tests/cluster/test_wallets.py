"""From two files to a cold wallet and a Lightning node that take real (regtest) money."""

import base64
import json
import os
import random
from collections.abc import Iterator

import pytest

from demokit import shipped
from demokit.outside import Outside
from tests.misoperations import Manifest, sample

from .bank import Bank, bodies
from .conftest import Lab, elapsed, eventually
from .operated import Operator, kill_main_process

BANK, SECOND = "bank", "bank-2"
BOTH = ("ColdWallet/vault", "LndNode/lnd1")
#: Money itself: what deletes it takes it away, and nothing makes it anew.
KEPT = ("secret/lnd1-wallet",)
#: Drawn once per run of the suite; printed on failure.
#: Each seed is a bank that comes up while its operator is killed so many times; `hack/test soak` has four of them.
KILLS = 5
SEEDS = range(21, 21 + int(os.environ.get("BANK_KILLS", "5")) // KILLS)


#: An operator that would write LND's pod otherwise. Its compiled files are never compared with their sources.
NEWER = """
USER 0
RUN cd /opt/bankstack/operator/bankstack \
 && sed -i 's/GRACE_SECONDS: Final = 600/GRACE_SECONDS: Final = 601/' kinds/lndnode/children.py \
 && find /opt/bankstack/operator -name __pycache__ -prune -exec rm -r {} +
USER 65532:65532
"""
#: Sum of the coins that Specter shows to whoever logs in, in BTC.
IN_SPECTER = """
import base64, json, sys, urllib.request
log_in = base64.b64encode(":".join(sys.stdin.read().split()).encode()).decode()
def ask(path, right, body=None):
    headers = {"Authorization": right, "Content-Type": "application/json"}
    url = "http://127.0.0.1:25441/api/v1alpha/" + path
    return json.load(urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60))
token = ask("token/", "Basic " + log_in, b'{"jwt_token_description": "story", "jwt_token_life": "1 hour"}')
shown = ask("wallets/vault/", "Bearer " + token["jwt_token"])
print(sum(coin["amount"] for coin in shown["utxo"]))
"""


@pytest.fixture(scope="module")
def operator(lab: Lab) -> Operator:
    lab.does("load", "lnd", "bitcoind", "specter")
    return Operator.deployed(lab, BANK, SECOND)


@pytest.fixture(scope="module")
def outside(lab: Lab, operator: Operator) -> Iterator[Outside]:  # noqa: ARG001 - order
    peers = (f"vault-bitcoind-p2p.{name}.svc:18444" for name in (BANK, SECOND))
    yield Outside.started(lab, *peers)
    lab.kubectl("delete", "namespace", "outside", "--wait=false")


@pytest.fixture(scope="module")
def bank(lab: Lab, operator: Operator, outside: Outside) -> Bank:  # noqa: ARG001 - order
    """Both samples applied, Ready."""
    room = Bank.of(lab, BANK)
    room.apply_samples()
    room.await_resources(*BOTH)
    return room


def test_two_files_become_a_cold_wallet_and_a_lightning_node(bank: Bank) -> None:
    vault, node = bank.resource("ColdWallet", "vault")["status"], bank.resource("LndNode", "lnd1")["status"]
    assert vault["chain"] == "regtest"
    assert vault["firstAddress"].startswith("bcrt1q")
    assert len(vault["descriptorChecksums"]) == 2
    assert node["state"] == "SERVER_ACTIVE"
    assert len(node["identityPubkey"]) == 66
    listing = bank.kubectl("get", "bank")
    assert "coldwallet.bankstack.io/vault" in listing
    assert "True" in listing
    told = bank.kubectl("describe", "lndnode", "lnd1")
    assert "Ready" in told
    assert "identity" in told.lower()


def test_coins_to_the_pinned_address_appear_in_the_balance(bank: Bank, outside: Outside, operator: Operator) -> None:
    address = bank.resource("ColdWallet", "vault")["status"]["firstAddress"]
    outside.send(address, "1.5")
    eventually(
        lambda: operator.gauge("bankstack_coldwallet_balance_sat", BANK, "vault") == 150_000_000,
        60,
        "the balance is 1.5 BTC",
    )


def test_the_same_coins_are_shown_in_specter(bank: Bank) -> None:
    log_in = bank.get("secret", "vault-specter-admin")["data"]
    words = (base64.b64decode(log_in[key]).decode() for key in ("username", "password"))
    ask = (*("-n", BANK, "exec", "-i", "vault-specter-0", "-c", "specter", "--", "python3", "-c"), IN_SPECTER)
    ended = bank.lab.asks(*ask, stdin="\n".join(words))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["1.5"]


def test_an_outside_node_opens_a_channel_and_pays_an_invoice(bank: Bank, outside: Outside) -> None:
    identity = bank.resource("LndNode", "lnd1")["status"]["identityPubkey"]
    outside.fund_lnd("1")
    outside.open_channel(identity, f"lnd1-p2p.{BANK}.svc:9735", 1_000_000)
    eventually(lambda: bank.resource("LndNode", "lnd1")["status"].get("channels") == 1, 60, "status says one channel")
    invoice = bank.as_api("addinvoice", "--amt=12345")["payment_request"]
    eventually(lambda: outside.pays(invoice), 60, "the invoice is paid")
    assert bank.as_api("channelbalance")["local_balance"]["sat"] == "12345"


def test_the_api_s_macaroon_can_neither_close_channels_nor_make_macaroons(bank: Bank) -> None:
    close = ("closechannel", f"--funding_txid={'00' * 32}", "--output_index=0")
    for words in (close, ("bakemacaroon", "info:read")):
        ended = bank.lncli(*words)
        assert ended.returncode != 0
        assert "permission denied" in ended.stderr


def test_a_quiet_bank_causes_no_writes(bank: Bank, operator: Operator) -> None:
    """Sixty seconds in which nothing happens, by the API server's own account."""
    # The payment that came in was news too: told when LND is looked at next, at most half a minute later.
    eventually(
        lambda: bank.condition("LndNode", "lnd1", "CarriesPayments").get("reason") == "Liquid", 60, "all is settled"
    )
    assert bank.is_ready("LndNode", "lnd1")
    before = len(operator.writes())
    elapsed(60)
    assert operator.writes()[before:] == []


def test_every_child_deleted_by_hand_comes_back_and_nothing_restarts(bank: Bank) -> None:
    running = bank.restarts()
    for owner in ("ColdWallet.vault", "LndNode.lnd1"):
        for name, child in bank.children(owner).items():
            if name not in KEPT and not name.startswith(("persistentvolumeclaim/", "statefulset/")):
                bank.kubectl("delete", name)
                life = child["metadata"]["uid"]
                eventually(lambda: _is_back(bank, owner, name, life), 60, f"{name} is back")  # noqa: B023 - called at once
    bank.await_resources(*BOTH)
    assert bank.restarts() == running


def test_a_seed_that_was_deleted_is_asked_back_and_never_made_anew(bank: Bank) -> None:
    seed, running = bank.get("secret", "lnd1-wallet"), bank.restarts()
    bank.kubectl("delete", "secret", "lnd1-wallet")
    told = bank.await_reason("LndNode", "lnd1", "WalletSecretMissing")
    assert "What runs keeps running" in told
    meta = {key: seed["metadata"][key] for key in ("name", "labels", "annotations")}
    bank.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": seed["data"]})
    bank.await_resources(*BOTH)
    assert bank.restarts() == running


def test_a_deleted_stateful_set_comes_back_with_its_data(bank: Bank) -> None:
    identity = bank.resource("LndNode", "lnd1")["status"]["identityPubkey"]
    bank.kubectl("delete", "statefulset", "lnd1", "vault-bitcoind")
    eventually(lambda: {"lnd1-0", "vault-bitcoind-0"} <= bank.restarts().keys(), 120, "the pods are back")
    bank.await_resources(*BOTH)
    assert bank.resource("LndNode", "lnd1")["status"]["identityPubkey"] == identity


def test_a_foreign_field_stays_and_ours_are_repaired(bank: Bank) -> None:
    bank.kubectl("annotate", "service", "lnd1", "example.com/theirs=yes")
    bank.kubectl("label", "service", "lnd1", "bankstack.io/owner=LndNode.other", "--overwrite")
    bank.kubectl("patch", "service", "lnd1", "--type=json", "-p", '[{"op":"remove","path":"/spec/ports/0"}]')
    bank.kubectl("scale", "statefulset", "lnd1", "--replicas=2")
    bank.kubectl("annotate", "lndnode", "lnd1", "example.com/look=now", "--overwrite")
    eventually(lambda: bank.get("statefulset", "lnd1")["spec"]["replicas"] == 1, 60, "one writer is wanted again")
    eventually(lambda: "service/lnd1" in bank.children("LndNode.lnd1"), 60, "its label is put right")
    eventually(lambda: bank.get("service", "lnd1")["spec"]["ports"][0]["port"] == 10009, 60, "the port is back")
    assert bank.get("service", "lnd1")["metadata"]["annotations"]["example.com/theirs"] == "yes"
    bank.await_resources(*BOTH)


def test_a_change_that_would_disrupt_touches_nothing_and_says_so(bank: Bank) -> None:
    running = bank.restarts()
    change = {"spec": {"config": [{"key": "alias", "value": "bank-2"}]}}
    bank.kubectl("patch", "lndnode", "lnd1", "--type=merge", "-p", json.dumps(change))
    eventually(lambda: bank.condition("LndNode", "lnd1", "ChangePending").get("status") == "True", 60, "it is said")
    assert bank.condition("LndNode", "lnd1")["status"] == "True"
    assert bank.restarts() == running
    bank.apply_samples()
    eventually(lambda: not bank.condition("LndNode", "lnd1", "ChangePending"), 60, "the change is withdrawn")
    assert bank.restarts() == running


def test_a_newer_operator_restarts_nothing_and_says_what_it_would_change(bank: Bank, operator: Operator) -> None:
    running = bank.restarts()
    operator.becomes("newer", NEWER)
    path = "terminationGracePeriodSeconds"
    eventually(lambda: path in bank.condition("LndNode", "lnd1", "ChangePending").get("message", ""), 90, "it is said")
    bank.await_resources(*BOTH)
    assert bank.restarts() == running
    operator.becomes(operator.version, "")
    eventually(lambda: not bank.condition("LndNode", "lnd1", "ChangePending"), 90, "the former one wants nothing else")
    assert bank.restarts() == running


def test_two_nodes_never_share_a_wallet(bank: Bank) -> None:
    bank.apply(node("lnd2", wallet={"secret": "lnd1-wallet"}))
    bank.await_reason("LndNode", "lnd2", "WalletInUse")
    assert bank.condition("LndNode", "lnd2", "Stalled")["status"] == "True"
    assert bank.lab.asks("-n", BANK, "get", "statefulset", "lnd2").returncode != 0
    bank.kubectl("delete", "lndnode", "lnd2", "--timeout=60s")
    assert bank.is_ready("LndNode", "lnd1")


def test_a_wallet_secret_that_comes_later_is_waited_for(bank: Bank) -> None:
    bank.apply(node("lnd3", wallet={"secret": "brought", "create": False}))
    told = bank.await_reason("LndNode", "lnd3", "WalletSecretMissing")
    assert "brought" in told
    seed = bank.get("secret", "lnd1-wallet")["data"]
    brought = {
        "metadata": {"name": "brought"},
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {"password": seed["password"]},
    }
    bank.apply(brought)
    told = bank.await_reason("LndNode", "lnd3", "WalletSecretIncomplete")
    assert "seed" in told
    bank.kubectl("delete", "lndnode", "lnd3", "--timeout=60s")
    bank.kubectl("delete", "secret", "brought")


def start_anew(lab: Lab, operator: Operator) -> None:
    """No second bank, and an operator whose kubelet does not yet wait for minutes before it starts it again."""
    lab.kubectl("delete", "namespace", SECOND, "--timeout=150s")
    shipped.deploy(lab, BANK, SECOND)
    operator.scale(0)
    operator.scale(1)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_operator_killed_again_and_again_ends_in_the_same_state(
    lab: Lab, bank: Bank, operator: Operator, outside: Outside, seed: int
) -> None:
    running = bank.restarts()
    second = Bank.of(lab, SECOND)
    if seed != SEEDS[0]:
        start_anew(lab, operator)
    second.apply_samples()
    draw = random.Random(seed)  # noqa: S311 - a seeded draw
    for _ in range(KILLS):
        elapsed(draw.uniform(0.3, 9))
        operator.kill()
    second.await_resources(*BOTH, within=300)
    outside.mine(1)
    undisturbed = bank.end_state()
    # Of a channel there is a backup; the second bank's node has none to keep one of.
    del undisturbed["secret/lnd1-channel-backup"]
    assert second.end_state() == undisturbed
    assert bank.restarts() == running, "the bank that was there did not notice"


def test_without_an_operator_what_dies_comes_back_by_itself(
    lab: Lab, bank: Bank, operator: Operator, outside: Outside
) -> None:
    identity = bank.resource("LndNode", "lnd1")["status"]["identityPubkey"]
    operator.scale(0)
    before = bank.restarts()
    for pod in ("lnd1-0", "vault-bitcoind-0"):
        kill_main_process(bank.get("pod", pod))
    eventually(
        lambda: all(bank.restarts()[pod][1] > before[pod][1] for pod in before if "specter" not in pod), 60, "both"
    )
    region = lab.get("node", bank.get("pod", "lnd1-0")["spec"]["nodeName"])["metadata"]["labels"]
    region = region["topology.kubernetes.io/region"]
    lab.does("kill-node", region)
    lab.does("start-node", region)
    eventually(lambda: _pod_is_ready(bank, "lnd1-0"), 120, "lnd is back after its node was off")
    outside.mine(3)
    operator.scale(1)
    # Ready alone might be the word of the operator that was; LND sees the tip only once bitcoind has its blocks again.
    eventually(lambda: _sees_tip(operator, outside), 150, "LND sees the newest block again")
    bank.await_resources(*BOTH)
    assert bank.resource("LndNode", "lnd1")["status"]["identityPubkey"] == identity


def _sees_tip(operator: Operator, outside: Outside) -> bool:
    return operator.gauge("bankstack_lndnode_block_height", BANK, "lnd1") == outside.height()


def test_deleted_and_applied_again_it_is_the_same_wallet_and_the_same_node(bank: Bank, outside: Outside) -> None:
    before = {name: bank.resource(*name.split("/"))["status"] for name in BOTH}
    for kind, name in (("lndnode", "lnd1"), ("coldwallet", "vault")):
        bank.kubectl("delete", kind, name, "--timeout=120s")
    assert bank.get("pods", "-l", "bankstack.io/owner")["items"] == []
    bank.apply_samples()
    bank.await_resources(*BOTH)
    after = {name: bank.resource(*name.split("/"))["status"] for name in BOTH}
    assert after["LndNode/lnd1"]["identityPubkey"] == before["LndNode/lnd1"]["identityPubkey"]
    assert after["LndNode/lnd1"]["channels"] == 1
    assert after["ColdWallet/vault"]["firstAddress"] == before["ColdWallet/vault"]["firstAddress"]
    outside.mine(1)


def test_no_secret_is_in_any_status_event_log_or_metric(lab: Lab, bank: Bank, operator: Operator) -> None:
    told = "".join(
        (
            bank.kubectl("get", "coldwallets,lndnodes,events,configmaps,statefulsets,services", "-o", "json"),
            operator.log(),
            operator.metrics(),
        )
    ).encode()
    for content in bodies(lab, BANK):
        assert content not in told


def test_the_shipped_roles_were_enough(operator: Operator) -> None:
    assert [one for one in operator.forbidden() if f" {BANK}/" in one] == []


def test_a_namespace_that_is_deleted_does_not_hang(lab: Lab) -> None:
    lab.kubectl("delete", "namespace", SECOND, "--timeout=150s")


def test_removed_as_the_readme_says_nothing_hangs(lab: Lab, bank: Bank, operator: Operator) -> None:
    bank.kubectl("delete", "bank", "--all", "--timeout=150s")
    operator.removed()
    assert "bankstack.io" not in lab.kubectl("get", "crds")
    lab.kubectl("delete", "namespace", BANK, "--timeout=120s")


def node(name: str, **changes: object) -> Manifest:
    """The sample LndNode under another name."""
    manifest = sample("lnd1")
    manifest["metadata"]["name"] = name
    manifest["spec"] |= changes
    return manifest


def _is_back(bank: Bank, owner: str, name: str, life: str) -> bool:
    found = bank.children(owner).get(name)
    return found is not None and found["metadata"]["uid"] != life


def _pod_is_ready(bank: Bank, name: str) -> bool:
    conditions = bank.get("pod", name)["status"].get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
