"""Certificates of LND's API: the authority that signs them, and reading what is there.

Clients pin the authority, not LND's own certificate, so that a renewal needs none of
them to change. Keys are ECDSA P-256, made here and never shown.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bankstack.kinds.lndnode.facts import Authority, Certificate, Unusable

#: An authority outlives the node: changing it means telling every client.
AUTHORITY_LIFE: Final = timedelta(days=25 * 365)
CERTIFICATE_LIFE: Final = timedelta(days=365)
#: Clocks differ; a certificate of the future is refused.
BEFORE: Final = timedelta(hours=1)
LOCALHOST: Final = "127.0.0.1"

_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)
#: What cert-manager and people make; ours are ECDSA.
_SIGNERS = (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)


@dataclass(frozen=True, repr=False)
class Pair:
    """A certificate and its key, both PEM. Without a repr: it would show the key."""

    certificate: bytes
    key: bytes


def make_authority(name: str, now: datetime) -> Pair:
    """A fresh authority that signs for one LndNode."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        _certificate(subject, subject, key.public_key(), now, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(_pem(certificate), _key_pem(key))


def issue(authority: Pair, names: Iterable[str], now: datetime) -> Pair:
    """A certificate for these DNS names and the pod itself, with a key of its own."""
    signer = x509.load_pem_x509_certificate(authority.certificate)
    signer_key = serialization.load_pem_private_key(authority.key, password=None)
    if not isinstance(signer_key, _SIGNERS):
        raise TypeError("the authority's key is neither ECDSA nor RSA")
    key = ec.generate_private_key(ec.SECP256R1())
    dns = list(names)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, dns[0][:64])])
    until = min(now + CERTIFICATE_LIFE, signer.not_valid_after_utc)
    alternatives = [*map(x509.DNSName, dns), x509.IPAddress(ipaddress.ip_address(LOCALHOST))]
    certificate = (
        _certificate(subject, signer.subject, key.public_key(), now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()), critical=False)
        .sign(signer_key, hashes.SHA256())
    )
    return Pair(_pem(certificate), _key_pem(key))


def read_authority(files: Mapping[str, bytes]) -> Authority | Unusable:
    """The authority in a Secret (tls.crt, tls.key), or why it cannot sign."""
    try:
        certificate = x509.load_pem_x509_certificate(files.get("tls.crt", b""))
        key = serialization.load_pem_private_key(files.get("tls.key", b""), password=None)
    except _UNREADABLE:
        # The parser's own words may quote the key: ours do not.
        return Unusable("tls.crt or tls.key is missing or not PEM")
    if not isinstance(key, _SIGNERS):
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


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEFORE)
        .not_valid_after(until)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


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


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
