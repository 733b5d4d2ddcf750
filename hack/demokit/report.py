"""A bank in three tables: its customers, its books, its nodes (pure)."""

from collections.abc import Iterable

from demokit.said import Balance, Books, Node
from demokit.tries import Try
from labkit.report import table

#: What a person calls the accounts.
ACCOUNTS = {"Liabilities": "customers' wallets", "Assets:Reserve:Lightning": "at the Lightning nodes"}


def customers(balances: list[Balance]) -> str:
    """What each has, by the API's word."""
    rows = [(one.name, _sats(one.sats)) for one in balances]
    rows.append(("together", _sats(sum(one.sats for one in balances))))
    return table(("CUSTOMER", _right("SAT")), rows)


def books(told: Books) -> str:
    """Double entry: whatever was paid, the accounts sum to zero."""
    rows = [(ACCOUNTS.get(one.name, one.name), str(one.rows), _sats(one.sats)) for one in told.accounts]
    whole = sum(one.rows for one in told.accounts), sum(one.sats for one in told.accounts)
    return table(("BOOKS (MongoDB)", "ROWS", _right("SAT")), [*rows, ("sum", str(whole[0]), _sats(whole[1]))])


def nodes(told: Books) -> str:
    """What LND holds, each node by its own word."""
    head = ("NODE (LND)", "IDENTITY", "CHANNELS", _right("BANK'S SAT"), _right("OUTSIDE'S SAT"))
    return table(head, [_node(one) for one in told.nodes])


def _node(node: Node) -> tuple[str, ...]:
    identity = f"{node.pubkey[:10]}…"
    if node.channels is None:
        return (node.name, identity, "no answer", "", "")
    held = node.channels
    return (node.name, identity, f"{held.active} active", _sats(held.local), _sats(held.remote))


def tries(those: Iterable[Try]) -> str:
    """Commands to copy, each under the sentence that says why."""
    return "\n".join(["What to try next:", *(f"\n# {one.why}\n{one.command}" for one in those)])


def _sats(number: int) -> str:
    return _right(f"{number:,}")


def _right(cell: str) -> str:
    return cell.rjust(14)
