import dataclasses

import pytest

from bankstack import settings


def test_nothing_set_is_a_working_default() -> None:
    chosen = settings.load({})
    assert chosen.namespaces == ("bank",)
    assert chosen.own_namespace == "bankstack-system"
    assert chosen == settings.Settings()


def test_each_variable_is_read() -> None:
    chosen = settings.load(
        {"BANKSTACK_NAMESPACES": "bank-a, bank-b,bank-a,", "BANKSTACK_WORKERS": "16", "BANKSTACK_LOG_LEVEL": "debug"}
    )
    assert (chosen.namespaces, chosen.workers, chosen.log_level) == (("bank-a", "bank-b"), 16, "debug")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BANKSTACK_NAMESPACES", " , "),
        ("BANKSTACK_NAMESPACES", "Bank"),
        ("BANKSTACK_NAMESPACES", "*"),
        ("BANKSTACK_OWN_NAMESPACE", ""),
        ("BANKSTACK_IDENTITY", "a b"),
        ("BANKSTACK_WORKERS", "0"),
        ("BANKSTACK_WORKERS", "many"),
        ("BANKSTACK_WORKERS", "-1"),
        ("BANKSTACK_RESYNC_SECONDS", "1"),
        ("BANKSTACK_GRACE_SECONDS", "301"),
        ("BANKSTACK_HEALTH_PORT", "65536"),
        ("BANKSTACK_METRICS_PORT", "0x50"),
        ("BANKSTACK_ALERTS_PORT", "0"),
        ("BANKSTACK_ALERTS_RULES", "rules.yaml"),
        ("BANKSTACK_LOG_LEVEL", "INFO"),
        ("BANKSTACK_NAMESPACE", "bank"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_it(variable: str, value: str) -> None:
    with pytest.raises(settings.Refused) as refused:
        settings.load({variable: value})
    assert variable in str(refused.value)
    assert "\n" not in str(refused.value)


def test_every_field_has_a_variable_of_its_own() -> None:
    variables = [one.metadata["variable"] for one in dataclasses.fields(settings.Settings)]
    assert len(set(variables)) == len(variables)
