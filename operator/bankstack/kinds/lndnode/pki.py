"""Certificates of LND's API and who signed them, as they are read. They are made by `engine.signing`.

Clients pin the authority, not LND's own certificate, so that a renewal needs none of
them to change.
"""

from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from bankstack.engine.signing import SIGNERS
from bankstack.kinds.lndnode.facts import Authority, Certificate, Unusable

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


def read_authority(files: Mapping[str, bytes]) -> Authority | Unusable:
    """The authority in a Secret (tls.crt, tls.key), or why it cannot sign."""
    try:
        certificate = x509.load_pem_x509_certificate(files.get("tls.crt", b""))
        key = serialization.load_pem_private_key(files.get("tls.key", b""), password=None)
    except _UNREADABLE:
        # The parser's own words may quote the key: ours do not.
        return Unusable("tls.crt or tls.key is missing or not PEM")
    if not isinstance(key, SIGNERS):
        return Unusable("tls.key is neither an ECDSA nor an RSA key")
    if key.public_key() != certificate.public_key():
        return Unusable("tls.key is not the key of tls.crt")
    try:
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = False
    if not is_authority:
        return Unusable("tls.crt is not the certificate of an authority (CA:TRUE)")
    return Authority(_fingerprint(certificate), _pem(certificate).decode(), certificate.not_valid_after_utc)


def read_certificate(encoded: bytes, trusted: Mapping[str, str]) -> Certificate | None:
    """A certificate (PEM or DER), and which of `trusted` signed it; None where it is none."""
    try:
        certificate = (
            x509.load_pem_x509_certificate(encoded)
            if encoded.startswith(b"-----")
            else x509.load_der_x509_certificate(encoded)
        )
    except _UNREADABLE:
        return None
    return Certificate(
        fingerprint=_fingerprint(certificate),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        issuer=_issuer(certificate, trusted),
    )


def belongs(files: Mapping[str, bytes], certificate: Certificate | None) -> Certificate | None:
    """The certificate of a Secret (tls.crt, tls.key), None where its key is not there or another's."""
    try:
        key = serialization.load_pem_private_key(files.get("tls.key", b""), password=None)
        shown = x509.load_pem_x509_certificate(files.get("tls.crt", b""))
    except _UNREADABLE:
        return None
    return certificate if key.public_key() == shown.public_key() else None


def read_bundle(pem: bytes) -> dict[str, str]:
    """The authorities of a bundle, by fingerprint, in its order."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except _UNREADABLE:
        return {}
    return {_fingerprint(one): _pem(one).decode() for one in found}


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(found.get_values_for_type(x509.DNSName))


def _issuer(certificate: x509.Certificate, trusted: Mapping[str, str]) -> str | None:
    for fingerprint, pem in trusted.items():
        try:
            certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(pem.encode()))
        except (ValueError, TypeError, InvalidSignature):
            continue
        return fingerprint
    return None


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()[:16]


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
