"""What a person reads at the end: who has what, books that sum to zero, and what each node holds."""

from demokit import report
from demokit.said import Balances, Books
from demokit.tries import Try

BOOKS = Books.model_validate(
    {
        "accounts": [
            {"name": "Assets:Reserve:Lightning", "credit": 900, "debit": 300_400, "rows": 12},
            {"name": "Liabilities", "credit": 300_400, "debit": 900, "rows": 15},
        ],
        "nodes": [
            {"name": "lnd1", "pubkey": f"02{'ab' * 32}", "channels": {"active": 1, "local": 299_500, "remote": 7}},
            {"name": "lnd2", "pubkey": f"03{'cd' * 32}", "channels": None},
        ],
    }
)


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_customers_are_added_up() -> None:
    told = Balances.model_validate_json('[{"name": "alice", "sats": 49120}, {"name": "bob", "sats": 50880}]').root
    assert words(report.customers(told)) == [
        ["CUSTOMER", "SAT"],
        ["alice", "49,120"],
        ["bob", "50,880"],
        ["together", "100,000"],
    ]


def test_the_books_show_that_double_entry_sums_to_zero() -> None:
    assert words(report.books(BOOKS)) == [
        ["BOOKS", "(MongoDB)", "ROWS", "SAT"],
        ["at", "the", "Lightning", "nodes", "12", "-299,500"],
        ["customers'", "wallets", "15", "299,500"],
        ["sum", "27", "0"],
    ]


def test_a_node_that_does_not_answer_is_not_a_node_without_money() -> None:
    _, first, second = words(report.nodes(BOOKS))
    assert first == ["lnd1", "02abababab…", "1", "active", "299,500", "7"]
    assert second == ["lnd2", "03cdcdcdcd…", "no", "answer"]


def test_a_command_stands_alone_on_its_line_so_that_it_can_be_copied() -> None:
    assert "hack/demo pay" in report.tries([Try("Why.", "hack/demo pay")]).splitlines()
