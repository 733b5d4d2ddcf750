"""What a person might try next. A story runs each line as it is printed (pure)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Try:
    """A command for the shell, from the checkout's folder, and why one would."""

    why: str
    command: str


_READER = '{"name": "reader", "secret": "ledger-reader", "create": true, "roles": ["read"]}'
_ADD_READER = f'[{{"op": "add", "path": "/spec/databases/0/users/1", "value": {_READER}}}]'

_NEW_ALIAS = '{"spec": {"config": [{"key": "alias", "value": "another-name"}]}}'

TRIES = (
    Try("The bank as it is declared, and what is true of it.", "hack/lab kubectl -n bank get bank"),
    Try(
        "Ask the API itself what it may do now, and with which nodes.",
        "hack/lab kubectl get --raw "
        "'/api/v1/namespaces/bank/services/bank:4002/proxy/graphql?query={globals{network,mode,nodesIds}}'",
    ),
    Try(
        "Take the first Lightning node away: the same one comes back, and the second is paid meanwhile.",
        "hack/lab kubectl -n bank delete pod lnd1-0",
    ),
    Try("More payments; then all that were made so far are asked after again.", "hack/demo pay"),
    Try(
        "Ask for a change that would restart a node: ChangePending says so, and nothing is touched.",
        f"hack/lab kubectl -n bank patch lndnode lnd2 --type=merge -p '{_NEW_ALIAS}'",
    ),
    Try(
        "Plant a reader of the books: its user in MongoDB and its Secret ledger-reader are made.",
        f"hack/lab kubectl -n bank patch ledger ledger --type=json -p '{_ADD_READER}'",
    ),
    Try(
        "Apply the sample again: the change is withdrawn, the reader may log in no more, and it is the same bank.",
        "hack/demo",
    ),
    Try("The end of it: the bank, the world around it and the operator; the lab stays.", "hack/demo down"),
)
