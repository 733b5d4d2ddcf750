"""The rules as they are shipped, and as a plain rule file has them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "manifests" / "monitoring"


def spec() -> dict[str, Any]:
    """The PrometheusRule's spec, which is a rule file."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "rules.yaml").read_text(encoding="utf-8"))["spec"]
    return found


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in spec()["groups"] for rule in group["rules"]}


def metrics(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:bankstack|kubelet)_[a-z0-9_]+", expression))
