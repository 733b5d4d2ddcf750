"""What is said and done about a channel backup in an object store, from the facts alone."""

from dataclasses import replace
from typing import Any

import pytest

from bankstack.clients.lnd.answers import Channels
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Unknown
from bankstack.engine.model import ObjectStore
from bankstack.kinds.lndnode import backups, kind, stored
from bankstack.kinds.lndnode.decide import LOOK_AGAIN, decide
from bankstack.kinds.lndnode.facts import Backup, Facts, Refused, Shelf
from bankstack.kinds.lndnode.model import LndNodeSpec, LndNodeStatus

from .given import NOW, ONE_CHANNEL, SILENT, SPEC, node, serving

KEY, SINCE = "me/20261121T080000Z-abc.scb", "2026-11-21T08:00:00Z"
STORE = {"endpoint": "https://s3.example.com", "bucket": "backups", "credentialsSecret": "s3", "caSecret": "s3-ca"}
STORING = node(channelBackup={"objectStore": STORE})
CURRENT = Backup(backups.channel_digest(ONE_CHANNEL), SINCE)
PROVED = Shelf(KEY, holds=True, since=SINCE)


def facts(shelf: Shelf | None, **more: Any) -> Facts:  # noqa: ANN401 - any facts
    known: dict[str, Any] = {"channels": ONE_CHANNEL, "backup": CURRENT}
    return serving(**known | more, shelf=shelf)


def standing(known: Facts) -> tuple[str, str]:
    (found,) = [one for one in decide(STORING, known, NOW).claims if one.type == "BackupStored"]
    return found.status, found.reason


@pytest.mark.parametrize(
    ("shelf", "more", "expected"),
    [
        (PROVED, {}, ("True", "Stored")),
        (Shelf(), {"channels": Channels(), "backup": None}, ("True", "NoChannels")),
        (PROVED, {"backup": replace(CURRENT, channels="others")}, ("False", "Outdated")),
        (Shelf(KEY, holds=False, noted=False), {}, ("False", "Outdated")),
        (Shelf(KEY, Refused("AccessDenied")), {}, ("False", "StoreRefused")),
        (Shelf(KEY, Unknown("silent"), SINCE), {}, ("Unknown", "StoreSilent")),
        (PROVED, {"channels": SILENT}, ("Unknown", "LndSilent")),
    ],
)
def test_the_condition_says_how_it_stands(shelf: Shelf, more: dict[str, Any], expected: tuple[str, str]) -> None:
    assert standing(facts(shelf, **more)) == expected


def test_without_a_store_there_is_no_condition() -> None:
    assert "BackupStored" not in {one.type for one in decide(node(), facts(None), NOW).claims}


@pytest.mark.parametrize(
    ("shelf", "reason"),
    [
        (Shelf(KEY, holds=False, noted=False), "Changed"),
        (Shelf(KEY, holds=True, noted=False), "Seen"),
        (PROVED, None),
        (Shelf(KEY, SILENT, noted=False), None),
        (Shelf(KEY, Refused("no"), noted=False), None),
        (Shelf(KEY, SILENT), None),
    ],
)
def test_a_store_is_given_what_it_lacks_and_not_pressed(shelf: Shelf, reason: str | None) -> None:
    wanted = (Ask("store_channel_backup", reason),) if reason else ()
    assert decide(STORING, facts(shelf), NOW).actions == wanted


def test_a_change_is_saved_and_stored_in_one_pass_in_this_order() -> None:
    known = facts(PROVED, backup=replace(CURRENT, channels="others"))
    assert [one.action for one in decide(STORING, known, NOW).actions if isinstance(one, Ask)] == [
        "save_channel_backup",
        "store_channel_backup",
    ]


def test_lnd_is_asked_more_often_only_where_there_is_a_store() -> None:
    assert decide(STORING, facts(PROVED), NOW).look_again == stored.LOOK_AGAIN
    assert decide(node(), facts(None), NOW).look_again == LOOK_AGAIN


def test_the_status_says_since_when_and_forgets_it_with_a_new_backup() -> None:
    told = decide(STORING, facts(PROVED), NOW).status
    assert isinstance(told, LndNodeStatus)
    assert told.stored_at == SINCE
    told = decide(STORING, facts(Shelf(KEY, holds=False)), NOW).status
    assert isinstance(told, LndNodeStatus)
    assert told.stored_at is None


def test_a_backup_is_called_by_its_moment_and_content() -> None:
    plain, within = ObjectStore.model_validate(STORE), ObjectStore.model_validate(STORE | {"prefix": "a/b"})
    first = stored.key(plain, "me", SINCE, b"one")
    assert first == "me/20261121T080000Z-7692c3ad3540bb803c020b3aee66cd88.scb"
    assert stored.key(within, "me", SINCE, b"one") == f"a/b/{first}"
    assert stored.key(plain, "me", SINCE, b"two") != first
    assert first < stored.key(plain, "me", "2026-11-21T08:00:01Z", b"one")


def test_what_was_proved_of_another_bucket_proves_nothing() -> None:
    places = {
        stored.bucket(ObjectStore.model_validate(STORE | more))
        for more in ({}, {"bucket": "other"}, {"endpoint": "https://other"})
    }
    assert len(places) == 3


def test_a_node_is_woken_by_the_secrets_of_its_store() -> None:
    spec = LndNodeSpec.model_validate(SPEC | {"channelBackup": {"objectStore": STORE}})
    assert {"s3", "s3-ca"} <= {one.name for one in kind.references(spec)}
