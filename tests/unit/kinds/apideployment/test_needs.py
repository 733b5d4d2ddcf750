"""Each thing that the API needs, by its own word."""

from dataclasses import replace

import pytest
from tests.unit.kinds.apideployment.given import (
    BEHIND,
    CHAIN,
    DOWN,
    HOSTS,
    LEDGER,
    MASTER,
    NODE,
    REDIS,
    REPLICA,
    SILENT,
    VIEW,
    api,
    saying,
    well,
)

from bankstack.engine.finding import Unknown
from bankstack.kinds.apideployment import needs
from bankstack.kinds.apideployment.facts import Facts, Ledger, Redis, Said, Told
from bankstack.kinds.apideployment.mode import Dependency, Standing

BANK = api()


def standing(one: Dependency) -> Standing | None:
    return None if isinstance(one.standing, Unknown) else one.standing


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (NODE, Standing.UP),
        (replace(NODE, conditions={**NODE.conditions, "Ready": Said("False", "SeedMissing", "")}), Standing.UP),
        (BEHIND, Standing.PARTLY),
        (DOWN, Standing.DOWN),
        (None, Standing.DOWN),
        (replace(NODE, deleting=True), Standing.DOWN),
        (saying(state="SERVER_ACTIVE", Synced="Unknown"), None),
        (saying(state="SERVER_ACTIVE"), None),
        (Told(), None),
    ],
)
def test_a_node(told: Told | None, expected: Standing | None) -> None:
    found = needs.lightning("lnd1", told)
    assert standing(found) == expected
    assert bool(found.told) == (expected != Standing.UP)


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        (LEDGER, Standing.UP),
        (None, Standing.DOWN),
        (replace(LEDGER, told=replace(LEDGER.told, deleting=True)), Standing.DOWN),
        (replace(LEDGER, has_database=False), Standing.DOWN),
        (replace(LEDGER, told=saying(None, Writable="False")), Standing.PARTLY),
        (replace(LEDGER, told=saying(None, Writable="Unknown")), None),
        (replace(LEDGER, told=Told({"Writable": Said("Unknown", "NoPrimary", "")})), Standing.PARTLY),
        (replace(LEDGER, told=Told({"Writable": Said("Unknown", "NoPrimary", "")}), answers=False), None),
        (replace(LEDGER, told=Told()), None),
        (replace(LEDGER, told=saying(None, Ready="True")), Standing.UP),
        (replace(LEDGER, told=saying(None, Ready="False")), Standing.PARTLY),
    ],
)
def test_the_ledger(ledger: Ledger | None, expected: Standing | None) -> None:
    assert standing(needs.ledger(BANK, Facts(ledger=ledger))) == expected


ELSEWHERE = replace(VIEW, host=HOSTS[1], epoch=2)


@pytest.mark.parametrize(
    ("redis", "expected"),
    [
        (REDIS, Standing.UP),
        (Redis(), None),
        (replace(REDIS, sentinels=(SILENT, SILENT, SILENT)), None),
        (replace(REDIS, sentinels=(VIEW, VIEW, SILENT)), Standing.UP),
        # One Sentinel alone is no majority, and two silent ones are no answer.
        (replace(REDIS, sentinels=(VIEW, SILENT, SILENT)), None),
        (replace(REDIS, sentinels=(replace(VIEW, is_down=True),) * 3), Standing.DOWN),
        (replace(REDIS, sentinels=(VIEW, ELSEWHERE, replace(VIEW, is_down=True))), Standing.DOWN),
        # Elected and not master yet.
        (replace(REDIS, sentinels=(ELSEWHERE,) * 3), Standing.DOWN),
        (replace(REDIS, members=(SILENT, REPLICA, REPLICA)), None),
        (replace(REDIS, members=(replace(MASTER, replicas=0), SILENT, SILENT)), Standing.DOWN),
        (replace(REDIS, members=(replace(MASTER, replicas=1), REPLICA, SILENT)), Standing.UP),
    ],
)
def test_redis_grants_locks_where_most_sentinels_name_a_master_that_is_followed(
    redis: Redis, expected: Standing | None
) -> None:
    assert standing(needs.redis(BANK, redis)) == expected


def test_of_a_redis_run_by_others_the_sentinels_word_is_all_there_is() -> None:
    external = {"external": {"sentinels": [{"host": "s", "port": 26379}], "passwordSecret": "r"}}
    assert standing(needs.redis(api(redis=external), Redis((), (VIEW,)))) == Standing.UP


def test_a_node_for_coins_only_restricts_no_lightning() -> None:
    bank = api(lightning=[{"node": "lnd1", "roles": ["onchain"]}, {"node": "lnd2", "roles": ["offchain"]}])
    found = needs.of(bank, well(nodes={"lnd1": None, "lnd2": NODE}))
    assert [standing(one) for one in found.lightning] == [Standing.UP]
    assert "LndNode lnd1 is not there" in found.others[0].told


def test_the_chain() -> None:
    assert standing(needs.chain("vault", CHAIN)) == Standing.UP
    assert standing(needs.chain("vault", None)) == Standing.DOWN
    assert standing(needs.chain("vault", saying(ChainReady="False"))) == Standing.DOWN
    assert standing(needs.chain("vault", saying(ChainReady="Unknown"))) is None
