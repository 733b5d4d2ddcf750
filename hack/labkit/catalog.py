"""What the lab can build, read from its three tables (pure): versions, programs, images.

References are the names users pull, so a manifest never knows where an image came
from.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit import versions
from labkit.errors import Refused

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Program:
    """A Go program: `package` built in `go/<module>`, with its linker settings."""

    name: str
    module: str
    package: str = "."
    tags: str = ""
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image: where it is pulled from or what it is built of, and how it says its version."""

    name: str
    reference: str
    recipe: str = ""
    programs: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)
    wheel_file: str = ""
    """A file taken out of the recipe's one wheel, where that is all the wheel is for."""
    pullable: bool = True
    preloads: tuple[str, ...] = ()
    """Images of this table that a node's own containerd brings along."""
    speaks: tuple[str, ...] = ()
    says: str = ""
    on_demand: bool = False


@dataclass(frozen=True)
class Catalog:
    """Both tables by name, versions filled in."""

    programs: Mapping[str, Program]
    images: Mapping[str, Image]
    versions: Mapping[str, str]

    @property
    def bank(self) -> Mapping[str, Image]:
        """The images that pods of a bank use: what `images` supplies."""
        return {name: image for name, image in self.named.items() if not image.on_demand}

    @property
    def named(self) -> Mapping[str, Image]:
        """Those that may be asked for by name: a bank's, and what is built only on demand."""
        return {name: image for name, image in self.images.items() if image.speaks}


def load() -> Catalog:
    """The tables of this checkout."""
    pins = {name: pin.version for name, pin in versions.load().items()}
    images = {name: Image(**{"recipe": name, **row}) for name, row in _rows("images.toml", pins)}
    return Catalog({name: Program(**row) for name, row in _rows("programs.toml", pins)}, images, pins)


def find(word: str, images: Mapping[str, Image]) -> Image:
    """By short name or reference; refuses others, naming what there is."""
    for image in images.values():
        if word in (image.name, image.reference, *image.aliases):
            return image
    raise Refused(f"{word!r} is no image of the lab; there are: {', '.join(images)}.")


def _rows(file: str, pins: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    table = tomllib.loads((_FOLDER / file).read_text(encoding="utf-8"))
    # By hand, not str.format: a program's words may hold braces of their own.
    return [
        (name, {"name": name} | {key: _filled(value, _filler(pins)) for key, value in row.items()})
        for name, row in table.items()
    ]


def _filler(pins: Mapping[str, str]) -> Callable[[str], str]:
    def fill(text: str) -> str:
        for name, version in pins.items():
            text = text.replace(f"{{{name}}}", version)
        return text

    return fill


def _filled(value: Any, fill: Callable[[str], str]) -> Any:  # noqa: ANN401 - whatever TOML holds
    match value:
        case str():
            return fill(value)
        case list():
            return tuple(_filled(part, fill) for part in value)
        case dict():
            return {key: _filled(part, fill) for key, part in value.items()}
        case _:
            return value
