"""How it is proved that nobody can approve in another's name (pure).

The policy is an object like any other: it may be missing, bound elsewhere, or only
audit. So the operator tries, as a dry run and in the very namespace, what must be
refused: a plan and an approval in a name that is not its own. Being refused with the
policy's own sentence is the proof. Being refused otherwise proves nothing.
"""

from typing import Final

from bankstack.engine.objects import CHANGE_PLAN, PLAN_APPROVAL, Manifest, Type
from bankstack.plans.catalog import OPERATIONS

#: Nobody has this name, and nothing is ever made under it.
NAME: Final = "bankstack-proof"
NOBODY: Final = "bankstack:nobody"

#: As manifests/base/plan-policy.yaml says them.
OWN_PLAN: Final = "spec.requestedBy has to be your own user name"
OWN_APPROVAL: Final = "spec.approver has to be your own user name"

CURE: Final = (
    "the admission policy bankstack-plans is not in force in this namespace, so anybody could approve in another's "
    "name: only Green plans run. Apply manifests/base, then make the plan again"
)


def probes() -> tuple[tuple[Manifest, str], ...]:
    """What must be refused, and with which words."""
    kind, names = next(iter(OPERATIONS.items()))
    plan = {
        "target": {"kind": kind, "name": NAME},
        "operation": names[0],
        "requestedBy": NOBODY,
        "notAfter": "2000-01-01T00:00:00Z",
        "reason": "a dry run, to see that it is refused",
        "dryRun": True,
    }
    approval = {"plan": NAME, "hash": "sha256:" + "0" * 64, "approver": NOBODY}
    return (_probe(CHANGE_PLAN, plan), OWN_PLAN), (_probe(PLAN_APPROVAL, approval), OWN_APPROVAL)


def _probe(of: Type, spec: Manifest) -> Manifest:
    return {"apiVersion": of.api_version, "kind": of.kind, "metadata": {"name": NAME}, "spec": spec}
