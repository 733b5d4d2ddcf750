"""When LND's certificate is made anew, and whom clients are told to trust (pure).

Clients pin authorities. A running LND shows the certificate that it was started with,
whatever has been issued since: so clients trust the authority of what it shows now and
the one of what it will show next, and no restart, whenever it comes, cuts them off.
"""

from datetime import datetime, timedelta
from typing import Final

from bankstack.engine.conditions import Claim, stamp
from bankstack.engine.decision import Ask
from bankstack.engine.finding import Finding, Stalled, Unknown, Waiting
from bankstack.kinds.lndnode import names
from bankstack.kinds.lndnode.facts import Authority, Facts, Published, Unusable
from bankstack.kinds.lndnode.subject import LndNode

LIFE: Final = timedelta(days=365)


def steps(node: LndNode, facts: Facts, now: datetime) -> tuple[Ask, ...]:
    """What has to be signed."""
    words = {"trust": trust(facts)} if trust(facts) else {}
    if facts.authority is None and not given(node):
        reason = _due(node, facts, now) or "OtherAuthority"
        return (Ask("make_authority", "Missing"), Ask("issue_certificate", reason, words))
    if not isinstance(facts.authority, Authority):
        return ()
    due = _due(node, facts, now)
    return (Ask("issue_certificate", due, words),) if due else ()


def trust(facts: Facts) -> str:
    """The authorities that clients shall trust, as an Ask's word: fingerprints are public."""
    return " ".join(trusted(facts))


def trusted(facts: Facts) -> dict[str, str]:
    """Authorities that clients shall trust, by fingerprint, in a fixed order."""
    known = _known(facts)
    kept = known.keys() if isinstance(facts.presented, Unknown) else _needed(facts)
    return {fingerprint: known[fingerprint] for fingerprint in sorted(kept)}


def is_trusted(facts: Facts, published: Published) -> bool:
    """Whether a consumer's Secret has the authorities it needs, and no others once that can be told."""
    if isinstance(facts.presented, Unknown):
        return _needed(facts) <= published.trust
    return published.trust == trusted(facts).keys()


def authority_can_sign(node: LndNode, facts: Facts) -> Finding | None:
    """Without a certificate LND cannot start; with one it can wait for the next."""
    stops = facts.certificate is None
    secret = names.authority_secret(node.name, given(node)).name
    then = "LND is not started without a certificate" if stops else "LND runs on; its certificate cannot be renewed"
    if isinstance(facts.authority, Unusable):
        cure = "Correct it" if given(node) else "Put the former one back, or delete it and another is made"
        told = f"Secret {secret} cannot sign certificates: {facts.authority.reason}. {then}. {cure}"
        return Finding("AuthorityUnusable", told, Stalled(), stops=stops)
    if facts.authority is None and given(node):
        told = f"Secret {secret} (spec.tls.caSecret) is not there. {then}. Make it, with keys tls.crt and tls.key"
        return Finding("AuthorityMissing", told, Waiting(30.0), stops=stops)
    return None


def renewed(facts: Facts) -> Claim | None:
    """A certificate that LND will show from its next start on."""
    shown, ready = facts.presented, facts.certificate
    if isinstance(shown, Unknown) or ready is None or shown.fingerprint == ready.fingerprint:
        return None
    # Signed by nobody known: what answers may be another program, found by a name that nobody has yet.
    if shown.issuer is None:
        return None
    return Claim(
        "ChangePending",
        "True",
        "CertificateRenewed",
        f"LND shows the certificate that it was started with, valid until {stamp(shown.not_after)}; a new one, valid "
        f"until {stamp(ready.not_after)}, is used from its next start. Restart it before the first date: after it, "
        "clients refuse to talk to LND",
    )


def given(node: LndNode) -> str | None:
    """The Secret of an authority that the user brings."""
    return node.spec.tls.ca_secret if node.spec.tls else None


def _known(facts: Facts) -> dict[str, str]:
    ours = facts.authority
    return {**facts.trusted, ours.fingerprint: ours.pem} if isinstance(ours, Authority) else dict(facts.trusted)


def _needed(facts: Facts) -> set[str]:
    """Those that signed what LND shows now, and what it will show next."""
    issuers = [] if isinstance(facts.presented, Unknown) else [facts.presented.issuer]
    if facts.certificate is not None:
        issuers.append(facts.certificate.issuer)
    if isinstance(facts.authority, Authority):
        issuers.append(facts.authority.fingerprint)
    return {issuer for issuer in issuers if issuer} & _known(facts).keys()


def _due(node: LndNode, facts: Facts, now: datetime) -> str | None:
    """Why the certificate must be made anew; None while it is good."""
    held = facts.certificate
    if held is None:
        return "Missing"
    if held.names != set(names.certificate_names(node.name, node.namespace)):
        return "NamesChanged"
    # A third of its life before its end: months in which to restart LND at leisure.
    if now >= held.not_before + (held.not_after - held.not_before) * 2 / 3:
        return "Expiring"
    if isinstance(facts.authority, Authority) and held.issuer != facts.authority.fingerprint:
        return "OtherAuthority"
    return None
