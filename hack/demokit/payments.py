"""Customers of the bank: they live outside, come by its API, and remember every payment they asked for."""

from dataclasses import dataclass

from demokit.kube import Room
from demokit.outside import Outside, pod
from demokit.said import Balance, Balances, Books
from labkit import paths, run

IMAGE = "bankstack/bank-api:dev"
POD = "customers"
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank")
ASKED = "/data/asked.jsonl"
#: Enough to see every kind of payment dozens of times, short enough to watch.
SECONDS, FUNDS_SAT = 15, 50_000
RATES = ("--intraledger", "4", "--lightning", "2")
#: For what was cut off before: only when its invoice has expired is it certain.
SETTLE_SECONDS, PATIENCE_SECONDS = 200, 90
#: For tens of thousands of payments, each asked after at everybody.
CHECK_SECONDS = 900
#: `check` runs where the bank's credentials are; the outside node's come by standard input, before what was asked.
CHECK = """
IFS= read -r OUTSIDE_TLS; IFS= read -r OUTSIDE_MACAROON; export OUTSIDE_TLS OUTSIDE_MACAROON
cat >/tmp/asked.jsonl
exec env "$@" node load/main.js check --settle {settle} --asked /tmp/asked.jsonl
"""
_SECRET = ("TLS", "MACAROON")


def image() -> None:
    """The API's, which the customers' programs are in too: built if need be, and in every node."""
    run.do(paths.CHECKOUT / "hack" / "bank-api" / "build", "--load")


@dataclass
class Customers:
    """A pod beside the outside lnd, and the bank they come to."""

    outside: Outside
    bank: Room

    def arrive(self) -> None:
        """They are there, and know their way to the bank's API and to the outside node."""
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": POD}}
        told = {f"OUTSIDE_{key}": value for key, value in self.outside.way_in().items()}
        told["API_URL"] = f"http://bank.{self.bank.name}.svc:4002/graphql"
        found = pod(POD, IMAGE, ["sleep", "infinity"])
        found["spec"]["containers"][0]["envFrom"] = [{"secretRef": {"name": POD}}]
        self.outside.room.apply(secret | {"stringData": told}, found)
        self.outside.room.await_ready(POD, within=60)

    def pay(self) -> str:
        """They are paid, pay each other, and pay the world; what the load says of it."""
        names = ("--names", ",".join(NAMES), "--funds", str(FUNDS_SAT), "--patience", str(PATIENCE_SECONDS))
        words = (*names, *RATES, "--seconds", str(SECONDS), "--asked", ASKED)
        return self._load("run", *words, timeout=SECONDS + 4 * PATIENCE_SECONDS)

    def balances(self) -> list[Balance]:
        """What each has, by the API's word."""
        return Balances.model_validate_json(self._load("balances", "--names", ",".join(NAMES))).root

    def _load(self, *words: str, timeout: float = 120) -> str:
        command = ("exec", POD, "--", "node", "load/main.js", *words)
        return self.outside.room.kubectl(*command, timeout=timeout)

    def check(self) -> str:
        """Every payment ever asked for, asked after at the API, in MongoDB and at both ends of Lightning."""
        way = self.outside.way_in()
        plain = [f"OUTSIDE_{key}={value}" for key, value in way.items() if key not in _SECRET]
        asked = self.outside.room.inside(POD, "cat", ASKED)
        script = CHECK.format(settle=SETTLE_SECONDS)
        command = ("exec", "-i", f"deploy/{self.bank.name}-api", "--", "sh", "-c", script, "check", *plain)
        lines = [*(way[key] for key in _SECRET), asked]
        return self.bank.kubectl(*command, stdin="\n".join(lines), timeout=CHECK_SECONDS)

    def books(self) -> Books:
        """The books by MongoDB's word, the channels by LND's, with the bank's own credentials."""
        said = self.bank.kubectl("exec", f"deploy/{self.bank.name}-api", "--", "node", "load/main.js", "books")
        return Books.model_validate_json(said)
