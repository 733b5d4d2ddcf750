"""One person's word: for what they were shown, and only while it would count."""

import pytest

from bankstack.plans.model import PlanApprovalSpec
from bankstack.plugin import made
from bankstack.plugin.access import Refused
from bankstack.plugin.known import Usage

from . import given
from .given import HASH, OTHER, Bank, Somebody, told

NAME = made.approval_name("restart-1", HASH, "bob")


async def test_a_person_reads_it_says_yes_and_has_approved_that_hash() -> None:
    bank, person = Bank([given.awaiting()]), Somebody("y\n")
    answer = await told(bank, "plan approve restart-1", person)
    shown = await told(bank, "plan show restart-1")
    assert person.read == shown.lines[: len(person.read)]
    assert person.asked == ["Approve sha256:2c26b46b as bob? [y/N] "]
    (written,) = bank.written
    assert written["spec"] == {"plan": "restart-1", "hash": HASH, "approver": "bob"}
    PlanApprovalSpec.model_validate(written["spec"])
    assert answer.lines == [
        f"You (bob) approved Restart of LndNode lnd1: PlanApproval {NAME}.",
        "To take it back before it begins:",
        f"  kubectl -n bank delete planapproval {NAME}",
    ]


@pytest.mark.parametrize("says", ["\n", "n\n", "yeah\n", "restart-1\n", " \n"])
async def test_anything_but_a_yes_is_a_no(says: str) -> None:
    bank = Bank([given.awaiting()])
    with pytest.raises(Refused, match="nothing was approved"):
        await told(bank, "plan approve restart-1", Somebody(says))
    assert bank.written == []


@pytest.mark.parametrize("words", ["--yes", f"--hash {HASH}", f"--hash {HASH.removeprefix('sha256:')}"])
async def test_a_script_names_what_was_read_or_says_yes(words: str) -> None:
    bank = Bank([given.awaiting()])
    await told(bank, f"plan approve restart-1 {words}")
    assert [one["spec"]["hash"] for one in bank.written] == [HASH]


async def test_a_script_that_says_neither_approves_nothing() -> None:
    bank = Bank([given.awaiting()])
    with pytest.raises(Usage, match="name what was read with --hash, or say --yes"):
        await told(bank, "plan approve restart-1")
    assert bank.written == []


async def test_a_plan_that_moved_on_is_not_the_one_that_was_named() -> None:
    bank = Bank([given.awaiting(of=OTHER, replanned="planned anew, because channels is 9")])
    with pytest.raises(Refused, match=r"not the one of sha256:2c26b46b0.* now \(planned anew, because channels is 9\)"):
        await told(bank, f"plan approve restart-1 --hash {HASH}")
    assert bank.written == []


@pytest.mark.parametrize("part", ["sha256:2c26b46b", "2c26b46b", HASH[:-1], HASH + "0", "", "sha256:"])
async def test_a_part_of_a_hash_names_no_plan(part: str) -> None:
    bank = Bank([given.awaiting()])
    with pytest.raises(Usage, match=r"no whole hash|or say --yes"):
        await told(bank, f"plan approve restart-1 --hash={part}")
    assert bank.written == []


async def test_a_plan_that_moves_on_while_a_person_reads_is_not_approved() -> None:
    anew = given.awaiting(of=OTHER, replanned="planned anew, because channels is 9")
    bank = Bank(drawn=[given.awaiting(), anew])
    with pytest.raises(Refused, match=r"was planned anew while you read it \(planned anew, because channels is 9\)"):
        await told(bank, "plan approve restart-1", Somebody("y"))
    assert bank.written == []


async def test_a_plan_that_begins_while_a_person_reads_is_not_approved() -> None:
    bank = Bank(drawn=[given.awaiting(), given.running()])
    with pytest.raises(Refused, match="runs already"):
        await told(bank, "plan approve restart-1", Somebody("y"))


POINTLESS = {
    "was asked for by you": given.awaiting(requestedBy="bob"),
    "is a dry run and never runs": given.awaiting(dryRun=True),
    "runs already": given.running(),
    "was cancelled": given.awaiting(cancelled=True),
    "has no hash yet": given.plan(),
    r"has ended \(Expired\): there is nothing to approve. too late": given.plan(
        status={"state": "Expired", "message": "too late", "hash": HASH}
    ),
}


@pytest.mark.parametrize("sentence", POINTLESS)
async def test_an_approval_that_would_not_count_is_not_made(sentence: str) -> None:
    bank = Bank([POINTLESS[sentence]])
    with pytest.raises(Refused, match=sentence):
        await told(bank, "plan approve restart-1 --yes")
    assert bank.written == []


async def test_said_twice_it_is_there_once() -> None:
    bank = Bank([given.awaiting()])
    await told(bank, "plan approve restart-1 --yes")
    again = await told(bank, "plan approve restart-1 --yes")
    assert len(bank.written) == 1
    assert again.lines == [f"You (bob) have approved restart-1 already: PlanApproval {NAME}."]
    assert again.code == 0


async def test_what_the_api_server_refuses_is_told_in_its_words() -> None:
    refusal = "ValidatingAdmissionPolicy 'bankstack-approvals' denied request: a ServiceAccount approves nothing"
    with pytest.raises(Refused, match="a ServiceAccount approves nothing"):
        await told(Bank([given.awaiting()], refusal=refusal), "plan approve restart-1 --yes")


@pytest.mark.parametrize("user", ["bob", "bob@bank.example", "system:admin", "o'Brien ü", "b" * 256, "---"])
def test_an_approval_has_a_name_that_kubernetes_takes(user: str) -> None:
    name = made.approval_name("restart-1" * 7, HASH, user)
    assert len(name) <= 63
    assert name[0].isalnum()
    assert "--" not in name


def test_two_people_whose_names_look_alike_have_two_approvals() -> None:
    assert made.approval_name("p", HASH, "bob@x") != made.approval_name("p", HASH, "bob-x")
