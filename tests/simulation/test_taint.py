"""No secret leaves its Secret: looked for in all that anybody could read, on good days and bad."""

import base64
import json
import logging
import re

import pytest

from bankstack.engine.objects import SECRET

from .apiserver import Event
from .bank import WHOLE, Bank, declared
from .faults import Fault, Schedule, When, every_first, none, some

PLANTED = "planted-Pa55word-of-a-user"
#: Long enough to be no accident.
SHORTEST = 12
#: In Secrets, but made to be known: certificates, identities, names of users, public settings.
PUBLIC = ("tls.crt", "ca.crt", "tls.cert", "tls_base64", "pubkey", "username", "channels", "rpcauth.conf", "database")
#: A member's file has its certificate and its key, as mongod takes it.
PUBLIC_PART = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
#: The end of a key's file is its public half.
PUBLIC_HALF = re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----\n[^\n]+\n)[^-]*")
#: In an ACL file, a password's hash: enough to guess it from.
HASH = re.compile(r"#([0-9a-f]{64})")


class Listener:
    """Keeps every value that was ever in a Secret."""

    def __init__(self, bank: Bank) -> None:
        self.heard: dict[str, str] = {}
        bank.server.watchers.append(self.hear)

    def hear(self, event: Event) -> None:
        for key, encoded in event.manifest.get("data", {}).items() if event.key.type == SECRET else ():
            if key not in PUBLIC:
                for form in forms(base64.b64decode(encoded)):
                    self.heard[form] = f"{event.key} {key}"


def forms(value: bytes) -> list[str]:
    """As it might be written: as it is, by lines and words, in base64, in hexadecimal, without its public parts."""
    text = PUBLIC_HALF.sub(r"\1", PUBLIC_PART.sub("", value.decode("utf-8", "replace"))).strip()
    found = [text, base64.b64encode(value).decode(), value.hex(), *text.splitlines(), *HASH.findall(text)]
    return [one for one in found if len(one) >= SHORTEST and "PRIVATE KEY" not in one]


DAYS: dict[str, Schedule] = {
    "a good day": none,
    "a day on which everything fails once": every_first(Fault(500)),
    "a day on which no answer comes": every_first(Fault(0, When.AFTER)),
    "a day of refusals and crashes": some(7, 0.3, (Fault(422), Fault(403), Fault("crash", When.AFTER)), 500),
}


@pytest.mark.parametrize("schedule", DAYS.values(), ids=DAYS)
async def test_no_secret_is_in_any_status_event_log_metric_or_manifest(
    schedule: Schedule, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bank = Bank(schedule=schedule)
    listener = Listener(bank)
    opened = {name: declared(name) for name in WHOLE}
    opened["vault"]["spec"]["specter"]["adminSecret"] = "planted"
    opened["ledger"]["spec"]["databases"][0]["users"].append(
        {"name": "auditor", "secret": "planted", "roles": ["read"]}
    )
    opened["bank"]["spec"]["components"][1]["envFrom"] = [{"secretRef": {"name": "planted"}}]
    plant(bank)
    for manifest in opened.values():
        bank.applies(manifest)
    bank.opened = WHOLE
    await bank.settle(6000)
    assert bank.is_ready() or schedule is DAYS["a day of refusals and crashes"], bank.said()
    bank.deletes(*WHOLE)
    await bank.settle(6000)
    await bank.opens(*WHOLE).settle(6000)
    told = everything(bank) + [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert PLANTED in listener.heard
    assert len(listener.heard) > 40
    for line in told:
        for secret_form, where in listener.heard.items():
            assert secret_form not in line, f"{where} is told: {line[:200]}"


def plant(bank: Bank) -> None:
    """A Secret of the user's own."""
    encoded = {"username": base64.b64encode(b"admin").decode(), "password": base64.b64encode(PLANTED.encode()).decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}, "data": encoded}
    bank.server.create(bank.key(SECRET, "planted"), secret, "kubectl")


def everything(bank: Bank) -> list[str]:
    """All that is not in a Secret: objects, events, outcomes with their gauges, calls."""
    versions = {id(one): one for past in bank.server.past for key, one in past.items() if key.type != SECRET}
    objects = [json.dumps(stored.manifest) for stored in versions.values()]
    return [
        *objects,
        repr(bank.server.announced),
        repr(bank.outcomes),
        repr(bank.calls.made),
        repr(bank.server.written),
    ]


def test_a_leak_would_be_found() -> None:
    bank = Bank()
    listener = Listener(bank)
    plant(bank)
    bank.server.announced.append(("Warning", "Leaked", f"the password is {PLANTED}"))
    assert any(form in line for line in everything(bank) for form in listener.heard)
