"""What each answer of the API server that is not a yes means: one table (pure).

A sentence says what is wrong, what it means, and what to do. What the server said is
repeated, but never about Secrets: validation quotes the value it refuses.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from bankstack.engine.finding import FORBIDDEN, UNSELECTABLE, Finding, Interrupted, Policy, Stalled, Transient, Waiting
from bankstack.engine.objects import SECRET, Type

#: What RBAC calls the things we do.
RBAC_VERBS: Final = {
    "get": "get", "list": "list", "create": "create", "delete": "delete", "replace": "update",
    "apply": "patch", "status": "patch", "finalize": "patch", "dry run": "create",
}  # fmt: skip
READS: Final = frozenset({"get", "list"})
SERVER_SAID_MOST: Final = 512


@dataclass(frozen=True)
class Call:
    """What was asked of the API server."""

    verb: str
    of: Type
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.of.kind}{f' {self.name}' if self.name else ''}{where}"

    @property
    def permission(self) -> str:
        """As a Role says it: `patch statefulsets.apps/status`."""
        group = self.of.api_version.rpartition("/")[0]
        subresource = "/status" if self.verb == "status" else ""
        return f"{RBAC_VERBS[self.verb]} {self.of.plural}{f'.{group}' if group else ''}{subresource}"


@dataclass(frozen=True)
class Answer:
    """A refusal as the API server words it: HTTP code, reason, causes and message of its Status object."""

    code: int
    reason: str = ""
    message: str = ""
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of the table; {call}, {kind}, {permission}, {code}, {namespace}, {said} are filled in."""

    codes: range
    reason: str
    sentence: str
    policy: Policy
    #: Where the code alone does not tell: what has to be among the causes, or match the message.
    cause: str = ""
    message: str = ""


#: The first row that fits is meant.
TABLE: Final[tuple[Row, ...]] = (
    Row(
        range(403, 404),
        "NamespaceTerminating",
        "namespace {namespace} is being deleted and takes nothing new: cannot {call}. Nothing to do",
        Waiting(),
        cause="NamespaceTerminating",
    ),
    Row(
        range(403, 404),
        FORBIDDEN,
        "the operator may not {call}: nothing was done, what runs keeps running. A Role in namespace "
        '"{namespace}" has to give its ServiceAccount `{permission}`: apply manifests/bank there',
        Transient(),
        message=r" cannot \w+ resource ",
    ),
    Row(
        range(403, 404),
        "Denied",
        "the cluster's admission refused to {call}: what runs keeps running. It is tried again; change the "
        "policy or quota that refused{said}",
        Transient(),
    ),
    Row(
        range(401, 402),
        "Unauthorized",
        "the API server does not know the operator's token (cannot {call}): what runs keeps running. It is "
        "tried again with a fresh one; if this stays, look at the operator's ServiceAccount",
        Transient(),
    ),
    Row(
        range(404, 405),
        "NotFound",
        "cannot {call}: it, its namespace or its CustomResourceDefinition is not there{said}. It is tried again",
        Transient(),
    ),
    Row(
        range(409, 410),
        "Conflict",
        "somebody changed it at the same moment (cannot {call}): nothing was overwritten, it is read and tried again",
        Transient(),
    ),
    Row(
        range(429, 430),
        "ApiUnavailable",
        "the API server is too busy to {call}: what runs keeps running, it is tried again later",
        Transient(),
    ),
    Row(
        range(400, 401),
        UNSELECTABLE,
        "the CustomResourceDefinition of {kind} is older than the operator (cannot {call} by a field): all are listed "
        "instead. Apply the operator's crds/",
        Transient(),
        message="field label not supported",
    ),
    Row(
        range(400, 500),
        "Refused",
        "the API server refuses to {call} (code {code}): what runs keeps running, and nothing changes until "
        "what is declared does{said}",
        Stalled(),
    ),
    Row(
        range(600),
        "ApiUnavailable",
        "the API server failed to {call} (code {code}): what runs keeps running, it is tried again",
        Transient(),
    ),
)


def refused(call: Call, answer: Answer) -> Interrupted:
    """An answer that is not a yes."""
    row = next(row for row in TABLE if _fits(row, answer))
    said = f": {answer.message[:SERVER_SAID_MOST]}" if answer.message and call.of != SECRET else ""
    sentence = row.sentence.format(
        call=call, kind=call.of.kind, permission=call.permission, code=answer.code, namespace=call.namespace, said=said
    )
    return Interrupted(Finding(row.reason, sentence, row.policy))


def silent(call: Call, seconds: float) -> Interrupted:
    """No answer. Of a write nobody knows whether it was done: only the next read tells."""
    if call.verb in READS:
        meaning = "nothing is concluded from that; it is asked again"
    else:
        meaning = "it may or may not have been done, and what was is seen at the next look"
    sentence = f"the API server gave no answer within {seconds:.0f} s to: {call}. What runs keeps running; {meaning}"
    return Interrupted(Finding("ApiUnavailable", sentence, Transient()))


def answer(code: int, body: bytes) -> Answer:
    """The Status object of a response; a proxy on the way may have sent anything else."""
    try:
        status = json.loads(body)
    except ValueError:
        return Answer(code)
    if not isinstance(status, dict) or status.get("kind") != "Status":
        return Answer(code)
    causes = (status.get("details") or {}).get("causes") or []
    return Answer(
        code,
        reason=str(status.get("reason", "")),
        message=str(status.get("message", "")),
        causes=tuple(str(cause.get("reason", "")) for cause in causes),
    )


def _fits(row: Row, given: Answer) -> bool:
    return (
        given.code in row.codes
        and (not row.cause or row.cause in given.causes)
        and (not row.message or re.search(row.message, given.message) is not None)
    )
