"""Certificates: what clients check, and what cannot be read is told without quoting it."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from bankstack.engine import signing
from bankstack.kinds.lndnode import certificates, names, pki
from bankstack.kinds.lndnode.facts import Authority, Unusable

NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = names.certificate_names("lnd1", "bank")
CA = signing.make_authority("bankstack bank/lnd1", NOW)
LEAF = signing.issue(CA, NAMES, NOW, certificates.LIFE)
TRUSTED = pki.read_bundle(CA.certificate)


def files(pair: signing.Pair) -> dict[str, bytes]:
    return {"tls.crt": pair.certificate, "tls.key": pair.key}


def rsa_authority(*, is_authority: bool = True) -> signing.Pair:
    """As cert-manager makes them."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "theirs")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signing.Pair(made.public_bytes(pem), private)


def test_a_certificate_names_every_way_to_reach_lnd() -> None:
    shown = pki.read_certificate(LEAF.certificate, TRUSTED)
    assert shown is not None
    assert shown.names == {"lnd1", "lnd1.bank", "lnd1.bank.svc", "lnd1.bank.svc.cluster.local", "localhost"}
    addresses = x509.load_pem_x509_certificate(LEAF.certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert [str(one) for one in addresses.value.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_it_lasts_a_year_and_never_longer_than_who_signed_it() -> None:
    shown = pki.read_certificate(LEAF.certificate, TRUSTED)
    assert shown is not None
    assert shown.not_after == NOW + timedelta(days=365)
    theirs = rsa_authority()
    short = pki.read_certificate(
        signing.issue(theirs, NAMES, NOW, certificates.LIFE).certificate, pki.read_bundle(theirs.certificate)
    )
    assert short is not None
    assert short.not_after == NOW + timedelta(days=90)
    assert short.issuer is not None


def test_openssl_takes_the_chain() -> None:
    """What LND's clients do: trust the authority, check the name."""
    context = ssl.create_default_context(cadata=CA.certificate.decode())
    assert context.verify_mode == ssl.CERT_REQUIRED
    authority = x509.load_pem_x509_certificate(CA.certificate)
    x509.load_pem_x509_certificate(LEAF.certificate).verify_directly_issued_by(authority)


def test_who_signed_it_is_known_by_the_signature_not_by_the_name() -> None:
    impostor = signing.make_authority("bankstack bank/lnd1", NOW)
    both = {**pki.read_bundle(impostor.certificate), **TRUSTED}
    shown = pki.read_certificate(LEAF.certificate, both)
    assert shown is not None
    assert {shown.issuer} == set(TRUSTED)
    unknown = pki.read_certificate(LEAF.certificate, pki.read_bundle(impostor.certificate))
    assert unknown is not None
    assert unknown.issuer is None


def test_der_is_read_as_well() -> None:
    der = x509.load_pem_x509_certificate(LEAF.certificate).public_bytes(serialization.Encoding.DER)
    assert pki.read_certificate(der, TRUSTED) == pki.read_certificate(LEAF.certificate, TRUSTED)


def test_an_authority_is_read_back() -> None:
    read = pki.read_authority(files(CA))
    assert isinstance(read, Authority)
    assert {read.fingerprint: read.pem} == TRUSTED
    assert read.not_after > NOW + timedelta(days=9000)
    assert isinstance(pki.read_authority(files(rsa_authority())), Authority)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({}, "missing or not PEM"),
        ({"tls.crt": CA.certificate}, "missing or not PEM"),
        ({"tls.crt": b"nonsense", "tls.key": CA.key}, "missing or not PEM"),
        ({"tls.crt": CA.certificate, "tls.key": LEAF.key}, "not the key of tls.crt"),
        (files(LEAF), "CA:TRUE"),
        (files(rsa_authority(is_authority=False)), "CA:TRUE"),
    ],
)
def test_what_cannot_sign_is_told_in_our_words(broken: dict[str, bytes], why: str) -> None:
    read = pki.read_authority(broken)
    assert isinstance(read, Unusable)
    assert why in read.reason
    assert "nonsense" not in read.reason


def test_a_certificate_without_its_own_key_does_not_count() -> None:
    shown = pki.read_certificate(LEAF.certificate, TRUSTED)
    assert pki.belongs(files(LEAF), shown) == shown
    assert pki.belongs({"tls.crt": LEAF.certificate, "tls.key": CA.key}, shown) is None
    assert pki.belongs({"tls.crt": LEAF.certificate}, shown) is None


def test_nonsense_is_no_certificate_and_no_bundle() -> None:
    assert pki.read_certificate(b"-----BEGIN", TRUSTED) is None
    assert pki.read_certificate(b"", TRUSTED) is None
    assert pki.read_bundle(b"nonsense") == {}


def test_a_bundle_keeps_its_order() -> None:
    other = signing.make_authority("other", NOW)
    assert [*pki.read_bundle(other.certificate + CA.certificate)] == [
        *pki.read_bundle(other.certificate), *TRUSTED,
    ]  # fmt: skip


def test_a_pair_never_shows_its_key() -> None:
    assert "PRIVATE" not in repr(CA)
    assert "PRIVATE" not in f"{CA}"


def test_a_key_that_cannot_sign_certificates_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert isinstance(pki.read_authority({"tls.crt": CA.certificate, "tls.key": _pem(key)}), Unusable)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
