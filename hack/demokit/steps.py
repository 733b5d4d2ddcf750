"""What `hack/demo` does, in order. Every step may be repeated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demokit import bank
from demokit.bank import Demo
from labkit.progress import Steps


@dataclass(frozen=True)
class Step:
    """What is done, and its title; without one it tells of itself as it goes."""

    title: str
    act: Callable[[Demo], None]


PAY = (
    Step("customers are paid, pay each other, and pay the world", bank.let_customers_pay),
    Step("ask everybody what became of each payment", bank.ask_after_payments),
)
UP = (
    Step("", bank.bring_up_lab),
    Step("images of the bank into every node", bank.load_images),
    Step("the operator, as it is shipped", bank.deploy_operator),
    Step("declare the bank: five resources", bank.declare),
    Step("around it: a miner and a Lightning node of nobody's", bank.surround),
    Step("", bank.await_bank),
    Step("channels from outside to both nodes", bank.open_channels),
    *PAY,
)
DOWN = (
    Step("the operator stops the bank in good order", bank.stop_bank),
    Step("remove its namespaces, with all coins and seeds", bank.remove_namespaces),
)
OPERATOR_DOWN = (Step("remove the operator and its kinds", bank.remove_operator),)
LAB_DOWN = (Step("", bank.take_down_lab),)


def carry_out(table: Sequence[Step], demo: Demo, steps: Steps) -> None:
    """One after the other, each with its time."""
    for step in table:
        if step.title:
            with steps.step(step.title):
                step.act(demo)
        else:
            step.act(demo)
