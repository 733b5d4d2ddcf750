"""Order of supply: what needs no compiler is built while programs compile."""

import threading
from pathlib import Path

import pytest

from labkit import catalog
from labkit.catalog import Image
from labkit.errors import StepFailed
from labkit.progress import Steps
from labkit.supply import Supply


class Workshop:
    """Builds nothing and remembers what it was asked for; lnd compiles until redis is built."""

    def __init__(self, *, fails: bool = False) -> None:
        self.made: list[str] = []
        self.redis_is_built = threading.Event()
        self.fails = fails

    def is_built(self, name: str) -> bool:
        return name in self.made

    def program(self, name: str) -> Path:
        if self.fails:
            raise StepFailed(f"{name} does not compile")
        assert self.redis_is_built.wait(5), "the image that needs no compiler had to wait for it"
        self.made.append(name)
        return Path(name)

    def build(self, image: Image) -> None:
        self.made.append(image.name)
        if image.name == "redis":
            self.redis_is_built.set()


def supply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workshop: Workshop) -> Supply:
    monkeypatch.setattr(Supply, "is_present", lambda _, image: image.name in (*workshop.made, "mongo"))
    monkeypatch.setattr(Supply, "_pull", lambda *_: False)
    return Supply(Steps(tmp_path, tmp_path / "times.json"), catalog.load(), workshop)  # type: ignore[arg-type]


def test_programs_compile_beside_the_images_that_need_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop = Workshop()
    lab = supply(tmp_path, monkeypatch, workshop)
    ways = lab.ensure(*(lab.images[name] for name in ("lnd", "mongo", "redis")))
    assert ways == {"lnd": "built", "mongo": "present", "redis": "built"}
    assert workshop.made.index("redis") < workshop.made.index("lncli") < len(workshop.made) - 1
    assert workshop.made[-1] == "lnd"


def test_what_does_not_compile_fails_the_image_that_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = supply(tmp_path, monkeypatch, Workshop(fails=True))
    with pytest.raises(StepFailed, match="lnd does not compile"):
        lab.ensure(lab.images["lnd"])
