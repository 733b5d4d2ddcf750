"""The process's settings: one environment variable each, read once, wrong ones told in one sentence."""

import os
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any


class Refused(Exception):
    """A setting that makes no sense: the variable, the rule, the cure."""


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", text):
        raise ValueError("a name in Kubernetes' form: lower case letters, digits and dashes")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise ValueError("names of namespaces, separated by commas: at least one")
    return tuple(map(_name, names))


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("a file's whole path, which begins with /")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text

    return read


def _from(variable: str, read: Callable[[str], Any], default: str, meaning: str) -> Any:  # noqa: ANN401 - the field's own type
    return field(default=read(default), metadata={"variable": variable, "read": read, "meaning": meaning})


@dataclass(frozen=True)
class Settings:
    """How this process runs. What a bank is, its resources say."""

    namespaces: tuple[str, ...] = _from(
        "BANKSTACK_NAMESPACES",
        _names,
        "bank",
        "Namespaces whose resources this operator looks after. Each needs the Role of manifests/bank.",
    )
    own_namespace: str = _from(
        "BANKSTACK_OWN_NAMESPACE",
        _name,
        "bankstack-system",
        "Namespace of the operator itself, where its Lease is.",
    )
    identity: str = _from(
        "BANKSTACK_IDENTITY",
        _name,
        re.sub(r"[^a-z0-9.-]", "-", socket.gethostname().lower()),
        "Who this process is among its replicas.",
    )
    workers: int = _from(
        "BANKSTACK_WORKERS",
        _number(1, 256),
        "128",
        "Resources looked at side by side: passes mostly wait, and share the lists that they ask for meanwhile.",
    )
    resync: int = _from(
        "BANKSTACK_RESYNC_SECONDS",
        _number(10, 86400),
        "600",
        "Seconds until a resource is looked at though nothing changed.",
    )
    grace: int = _from(
        "BANKSTACK_GRACE_SECONDS",
        _number(0, 300),
        "30",
        "Seconds that passes under way may still take when the process is told to stop.",
    )
    health_port: int = _from(
        "BANKSTACK_HEALTH_PORT",
        _number(1, 65535),
        "8081",
        "Port of /livez and /readyz.",
    )
    metrics_port: int = _from(
        "BANKSTACK_METRICS_PORT",
        _number(1, 65535),
        "8080",
        "Port of /metrics.",
    )
    alerts_port: int = _from(
        "BANKSTACK_ALERTS_PORT",
        _number(1, 65535),
        "8082",
        "Port of /alerts, where Alertmanager posts.",
    )
    alerts_token: str = _from(
        "BANKSTACK_ALERTS_TOKEN",
        _path,
        "/etc/bankstack/alerts-token/token",
        "File with the token that Alertmanager has to have. Without it no alert is believed.",
    )
    alerts_rules: str = _from(
        "BANKSTACK_ALERTS_RULES",
        _path,
        "/etc/bankstack/alerts/rules.yaml",
        "File with the allow-list of alerts. Without it no alert is taken.",
    )
    service_account: str = _from(
        "BANKSTACK_SERVICE_ACCOUNT",
        _name,
        "bankstack-operator",
        "The operator's own ServiceAccount: plans that an alert or a changed spec asks for are asked for in its name.",
    )
    log_level: str = _from(
        "BANKSTACK_LOG_LEVEL",
        _one_of("debug", "info", "warning", "error"),
        "info",
        "Least level that is logged.",
    )

    @property
    def user(self) -> str:
        """As the API server knows this process."""
        return f"system:serviceaccount:{self.own_namespace}:{self.service_account}"


def load(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment. Raises Refused with a sentence for the first that is wrong."""
    given = {}
    for one in fields(Settings):
        variable, read = one.metadata["variable"], one.metadata["read"]
        if (text := environment.get(variable)) is not None:
            try:
                given[one.name] = read(text)
            except ValueError as rule:
                raise Refused(f"{variable} is {text!r:.80} and has to be {rule}: correct it and start again") from None
    if unknown := sorted(
        name
        for name in environment
        if name.startswith("BANKSTACK_") and name not in {one.metadata["variable"] for one in fields(Settings)}
    ):
        raise Refused(f"{unknown[0]} is no setting of this version: remove it, or correct its name")
    return Settings(**given)
