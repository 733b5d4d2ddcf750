"""Whole manifests in files that a person reads in the diff. `UPDATE_GOLDEN=1` writes them anew."""

import os
from pathlib import Path

import yaml

from bankstack.engine.objects import Manifest


def shipped(path: Path, made: list[Manifest]) -> list[Manifest]:
    """What the file says; what was made, once it is to be written."""
    if "UPDATE_GOLDEN" in os.environ:
        path.write_text(yaml.safe_dump_all(made, sort_keys=False, width=120), encoding="utf-8")
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
