"""What an LndNode needs a Restart for, so that the operator asks for one itself (pure).

A changed spec, a renewed certificate, and a Kubernetes node that is to be emptied. A newer
operator that would write the same spec otherwise is none: it says so in ChangePending, and
floods no bank with plans.
"""

from typing import Final

from bankstack.engine.conditions import Claim, stamp
from bankstack.engine.finding import Unknown
from bankstack.engine.objects import digest
from bankstack.engine.operation import Wish, Wishes
from bankstack.kinds.lndnode import certificates, names, pinned, releases, template
from bankstack.kinds.lndnode.facts import Facts
from bankstack.kinds.lndnode.subject import LndNode

#: The causes.
CHANGE, CERTIFICATE, CORDON = "Change", "Certificate", "Cordon"
#: Of the fields that changed, as many letters as a reason has room for.
TOLD_MOST: Final = 256


def wishes(node: LndNode, facts: Facts) -> Wishes:
    """By cause."""
    return {CHANGE: _change(node, facts), CERTIFICATE: _certificate(node, facts), CORDON: _cordon(node, facts)}


def _change(node: LndNode, facts: Facts) -> Wish | Unknown | None:
    endpoint, live = facts.chain.endpoint, facts.children.get(names.stateful_set(node.name))
    if endpoint is None or live is None or pinned.identity(node, facts) is None:
        return Unknown("what runs and what is declared cannot be compared now")
    if releases.downgrade(node, facts) is not None or not template.is_declared_anew(node, facts, endpoint):
        return None
    changed = ", ".join(template.pending(node, facts, endpoint))[:TOLD_MOST]
    told = f"the spec of LndNode {node.name} was changed ({changed}): LND applies that when it is restarted"
    return Wish(template.declared(node, endpoint), told)


def _certificate(node: LndNode, facts: Facts) -> Wish | Unknown | None:
    if isinstance(facts.presented, Unknown):
        return facts.presented
    if facts.presented.issuer is None:
        return Unknown("what answers as LND shows a certificate that nobody known signed")
    if certificates.renewed(facts) is None or facts.certificate is None:
        return None
    told = (
        f"the certificate of LndNode {node.name} was renewed: LND shows the former one, valid until "
        f"{stamp(facts.presented.not_after)}, until it is restarted"
    )
    return Wish(facts.certificate.fingerprint[:64], told)


def _cordon(node: LndNode, facts: Facts) -> Wish | Unknown | None:
    if isinstance(facts.place, Unknown):
        return facts.place
    if not facts.place.cordoned or facts.place.tied:
        return None
    told = (
        f"Kubernetes node {facts.place.node}, which LND of LndNode {node.name} runs on, is cordoned: a drain of it "
        "hangs until LND was restarted elsewhere"
    )
    return Wish(digest([facts.place.node, facts.place.pod_uid]), told)


def cordoned(facts: Facts) -> Claim | None:
    """The node that LND's pod should leave."""
    if isinstance(facts.place, Unknown) or not facts.place.cordoned:
        return None
    told = f"Kubernetes node {facts.place.node}, which LND runs on, is cordoned"
    if facts.place.tied:
        return Claim(
            "ChangePending",
            "True",
            "VolumeCordoned",
            f"{told}, and LND's volume is on that node only: stopped now, LND would stay down, so no plan is made. "
            "Uncordon the node, or choose a moment at which LND may be away until it is back",
        )
    return Claim(
        "ChangePending",
        "True",
        "NodeCordoned",
        f"{told}: a drain of it hangs until LND was restarted, which brings it to another node. Uncordon it to let LND "
        "stay",
    )
