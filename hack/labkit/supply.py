"""Where an image comes from: present → pulled → built, in this order.

Present means: the engine has it, and either it was pulled or it was built from the
recipe as it stands now. Says which way was taken; knows no cluster.
"""

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labkit import catalog, engine, node_image, paths, run
from labkit.build import Workshop
from labkit.catalog import Catalog, Image
from labkit.engine import LABEL
from labkit.progress import Steps

#: A registry that says nothing for this long is taken for unreachable.
ANSWER_SECONDS = 10


@dataclass
class Supply:
    """Supplies images of the catalogue to the engine in use."""

    steps: Steps
    of: Catalog
    workshop: Workshop
    silent: set[str] = field(default_factory=set)
    """Registries that did not answer in this run: asked once, not once per image."""

    @classmethod
    def standard(cls, steps: Steps | None = None) -> "Supply":
        """Of the checkout's catalogue."""
        of = catalog.load()
        return cls(steps or Steps(paths.cache() / "logs" / "quiet", paths.cache() / "times.json"), of, Workshop(of))

    @property
    def images(self) -> Mapping[str, Image]:
        """All images by name."""
        return self.of.images

    def ensure(self, image: Image) -> str:
        """Make the image present; returns `present`, `pulled` or `built`."""
        if self.is_present(image):
            return "present"
        if image.pullable and self._pull(image):
            return "pulled"
        for name in (*image.parents, *image.preloads):
            self.ensure(self.images[name])
        for name in image.programs:
            self._ensure_program(name)
        with self.steps.step(f"build image {image.reference}", f"image {image.name}"):
            self.workshop.build(image)
            if image.preloads:
                node_image.preload(image, [self.images[name] for name in image.preloads])
        return "built"

    def is_present(self, image: Image) -> bool:
        """In the engine, and not from an older recipe."""
        labels = labels_of([image.reference]).get(image.reference)
        if labels is None:
            return False
        return LABEL not in labels or labels[LABEL] == self.workshop.image_key(image)

    def is_built_here(self, labels: Mapping[str, str]) -> bool:
        """Whether an image with these labels came out of this workshop, whenever."""
        return LABEL in labels

    def kind(self) -> Path:
        """The kind program, built on first use: pulled or not, the lab needs it."""
        self._ensure_program("kind")
        return self.workshop.program("kind")

    def _ensure_program(self, name: str) -> None:
        if not self.workshop.is_built(name):
            with self.steps.step(f"compile {name}", f"program {name}"):
                self.workshop.program(name)

    def _pull(self, image: Image) -> bool:
        registry = registry_of(image.reference)
        if registry in self.silent:
            return False
        began = time.monotonic()
        if not registry_answers(image.reference):
            self.silent.add(registry)
            seconds = time.monotonic() - began
            self.steps.note(f"{registry} gave no answer in {seconds:.0f} s: building instead of pulling")
            return False
        with self.steps.step(f"pull {image.reference}", f"pull {image.name}"):
            return run.works("docker", "pull", image.reference, env=engine.environment(), timeout=1800)


def registry_of(reference: str) -> str:
    """The host part of a reference, or Docker Hub's usual name (pure)."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first) else "docker.io"


def registry_answers(reference: str, seconds: float = ANSWER_SECONDS) -> bool:
    """Whether a pull gets a first word out of its registry in time: layers may then take long."""
    return run.speaks_within(seconds, "docker", "pull", reference, env=engine.environment())


def labels_of(references: Iterable[str]) -> dict[str, dict[str, str]]:
    """Labels of those of `references` that the engine has."""
    found = {}
    for reference in references:
        words = ("docker", "image", "inspect", "-f", "{{json .Config.Labels}}", reference)
        text = run.output(*words, env=engine.environment(), check=False)
        if text:
            found[reference] = json.loads(text) or {}
    return found
