"""What customers, books and nodes say of themselves, as `load/main.js` prints it (pure)."""

from pydantic import BaseModel, RootModel


class Balance(BaseModel):
    """A customer's, in sat."""

    name: str
    sats: int


class Balances(RootModel[list[Balance]]):
    """Of all customers."""


class Account(BaseModel):
    """One account of the books, its rows added up."""

    name: str
    credit: int
    debit: int
    rows: int

    @property
    def sats(self) -> int:
        """What it stands at."""
        return self.credit - self.debit


class Channels(BaseModel):
    """A node's active channels and both sides of all, in sat."""

    active: int
    local: int
    remote: int


class Node(BaseModel):
    """A node of the bank; without channels it did not answer."""

    name: str
    pubkey: str
    channels: Channels | None


class Books(BaseModel):
    """The whole bank in two tables."""

    accounts: list[Account]
    nodes: list[Node]
