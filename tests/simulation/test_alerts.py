"""What an alert asks for, in a whole bank: one person agrees, LND is restarted once, and the alert goes on firing."""

from datetime import datetime, timedelta

from bankstack.alerts import rules
from bankstack.alerts.asked import Group
from bankstack.alerts.maker import Maker
from bankstack.alerts.notice import Alert
from bankstack.alerts.rules import Known
from bankstack.engine.operation import Risk

from .bank import LND_NODE, Bank
from .cluster import SimulatedCluster
from .test_restart import open_bank, pods_made

US = "system:serviceaccount:bankstack-system:bankstack-operator"
PLAN = "database-lnd1-1"
LIST = {
    "name": "database",
    "match": {"alertname": "LndDatabaseTooBig"},
    "target": {"kind": "LndNode", "nameLabel": "name", "namespace": "bank"},
    "operation": "Restart",
}


def alert(since: datetime) -> Group:
    known = Known(lambda _kind, _operation: Risk.AMBER, ("bank",))
    one = Alert({"alertname": "LndDatabaseTooBig", "name": "lnd1"}, since, "9 GiB")
    wish = rules.wish(rules.read({"rules": [LIST]}, known), one, known.namespaces)
    assert wish is not None
    return Group(wish, (one,))


def maker(bank: Bank) -> Maker:
    return Maker(SimulatedCluster(bank.server), US, {"LndNode": LND_NODE}, lambda: bank.now)


async def test_what_an_alert_asks_for_is_done_once_one_person_has_agreed_and_not_again() -> None:
    bank = await open_bank()
    began, before = bank.now, pods_made(bank)
    assert (await maker(bank).make(alert(began))).result == "made"
    await bank.settle(3000)
    assert (bank.plan(PLAN)["state"], pods_made(bank)) == ("AwaitingApproval", before)
    bank.approves(PLAN, by=US)
    await bank.settle(3000)
    assert "only people approve" in " ".join(bank.plan(PLAN)["missing"])
    bank.approves(PLAN)
    await bank.settle(3000)
    assert (bank.plan(PLAN)["state"], bank.plan(PLAN)["approvedBy"]) == ("Succeeded", ["bob"])
    assert pods_made(bank) == before + 1
    assert (await maker(bank).make(alert(began))).result == "answered"
    await bank.settle(3000)
    assert pods_made(bank) == before + 1


async def test_a_plan_that_an_alert_made_and_nobody_approved_expires_and_the_next_alert_asks_anew() -> None:
    bank = await open_bank()
    await maker(bank).make(alert(bank.now))
    await bank.settle(3000)
    bank.now += timedelta(hours=25)
    for operator in bank.operators:
        operator.resync()
    await bank.settle(3000)
    assert bank.plan(PLAN)["state"] == "Expired"
    assert (await maker(bank).make(alert(bank.now))).sentence.endswith("ChangePlan database-lnd1-2 is made")
