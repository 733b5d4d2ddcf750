"""How banks come up, told again and again with one thing after another going wrong."""

from dataclasses import dataclass
from typing import Final

from .bank import LEDGER, WALLETS, WHOLE, Bank, up
from .faults import Schedule, none


@dataclass(frozen=True)
class Story:
    """`before` is up and well when somebody applies `then`."""

    name: str
    then: tuple[str, ...]
    before: tuple[str, ...] = ()

    async def told(self, schedule: Schedule = none, most: int = 2000) -> Bank:
        """With these faults, until all is calm."""
        bank = await up(*self.before) if self.before else Bank()
        bank.calls.schedule = schedule
        return await bank.opens(*self.then).settle(most)

    def __str__(self) -> str:
        return self.name


WALLETS_COME_UP: Final = Story("the wallets", WALLETS)
BOOKS_COME_UP: Final = Story("the books", LEDGER)
API_COMES_UP: Final = Story("the API", WHOLE[-1:], before=WHOLE[:-1])
BANK_COMES_UP: Final = Story("the whole bank", WHOLE)
#: Each kind once, and quick.
EACH: Final = (WALLETS_COME_UP, BOOKS_COME_UP, API_COMES_UP)
