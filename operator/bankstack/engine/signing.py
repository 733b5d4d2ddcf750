"""Certificates of our own making: an authority, and what it signs.

Keys are ECDSA P-256, made here and never shown. `cryptography` takes 16 MiB: only what
is imported with the first resource of its kind may import this.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: An authority outlives what it is made for: changing it means telling every client.
AUTHORITY_LIFE: Final = timedelta(days=25 * 365)
#: Clocks differ; a certificate of the future is refused.
BEFORE: Final = timedelta(hours=1)
LOCALHOST: Final = ipaddress.ip_address("127.0.0.1")
#: What cert-manager and people make; ours are ECDSA.
SIGNERS: Final = (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)


@dataclass(frozen=True, repr=False)
class Pair:
    """A certificate and its key, both PEM. Without a repr: it would show the key."""

    certificate: bytes
    key: bytes


def make_authority(name: str, now: datetime) -> Pair:
    """A fresh authority that signs for one resource."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _named(name)
    certificate = (
        _certificate(subject, subject, key.public_key(), now, now + AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def issue(authority: Pair, names: Iterable[str], now: datetime, life: timedelta, *, calls: bool = False) -> Pair:
    """A certificate for these DNS names and the pod itself, with a key of its own.

    It serves; it `calls` others too where they are to know it by the same certificate.
    """
    signer = x509.load_pem_x509_certificate(authority.certificate)
    signer_key = serialization.load_pem_private_key(authority.key, password=None)
    if not isinstance(signer_key, SIGNERS):
        raise TypeError("the authority's key is neither ECDSA nor RSA")
    key = ec.generate_private_key(ec.SECP256R1())
    dns = list(names)
    until = min(now + life, signer.not_valid_after_utc)
    alternatives = [*map(x509.DNSName, dns), x509.IPAddress(LOCALHOST)]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if calls else [])]
    certificate = (
        _certificate(_named(dns[0]), signer.subject, key.public_key(), now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()), critical=False)
        .sign(signer_key, hashes.SHA256())
    )
    return _pair(certificate, key)


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


def _named(name: str) -> x509.Name:
    # A common name takes 64 characters; nobody reads it.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), private)
