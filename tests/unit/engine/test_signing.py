"""What is certified: which names, for how long, for serving and for calling."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bankstack.engine import signing

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CA = signing.make_authority("bankstack bank/ledger", NOW)
SERVES, CALLS = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@pytest.mark.parametrize(("calls", "uses"), [(False, [SERVES]), (True, [SERVES, CALLS])])
def test_only_what_calls_others_is_certified_as_a_client(calls: bool, uses: list[x509.ObjectIdentifier]) -> None:  # noqa: FBT001 - a parameter of the test
    made = signing.issue(CA, ["ledger"], NOW, timedelta(days=1), calls=calls)
    found = x509.load_pem_x509_certificate(made.certificate).extensions
    assert list(found.get_extension_for_class(x509.ExtendedKeyUsage).value) == uses


def test_as_long_as_its_authority_is_long_enough() -> None:
    made = signing.issue(CA, ["ledger"], NOW, signing.AUTHORITY_LIFE)
    assert x509.load_pem_x509_certificate(made.certificate).not_valid_after_utc == NOW + timedelta(days=25 * 365)
