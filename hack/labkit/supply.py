"""Where an image comes from: present → pulled → built, in this order.

Present means: the engine has it, and either it was pulled or it was built from the
recipe as it stands now. Says which way was taken; knows no cluster.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from labkit import catalog, engine, node_image, paths, run
from labkit.build import Workshop, bare
from labkit.catalog import Catalog, Image
from labkit.engine import LABEL
from labkit.errors import StepFailed
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
    _compiling: dict[str, Future[None]] = field(default_factory=dict)

    @classmethod
    def standard(cls, steps: Steps | None = None) -> "Supply":
        """Of the checkout's catalogue."""
        of = catalog.load()
        return cls(steps or Steps(paths.cache() / "logs" / "quiet", paths.cache() / "times.json"), of, Workshop(of))

    @property
    def images(self) -> Mapping[str, Image]:
        """All images by name."""
        return self.of.images

    def ensure(self, *images: Image) -> dict[str, str]:
        """Make images present; by name `present`, `pulled` or `built`.

        Programs compile beside the images that wait for none: one takes the
        processors, the other the network.
        """
        ways = {image.name: self._at_hand(image) or "built" for image in images}
        missing = [image for image in images if ways[image.name] == "built"]
        with self._compiled_ahead(name for image in missing for name in image.programs):
            for image in sorted(missing, key=lambda image: bool(image.programs)):
                self._make(image)
        return ways

    def _at_hand(self, image: Image) -> str | None:
        if self.is_present(image):
            return "present"
        return "pulled" if image.pullable and self._pull(image) else None

    def _make(self, image: Image) -> None:
        for needed in (self.images[name] for name in (*image.parents, *image.preloads)):
            if not self._at_hand(needed):
                self._make(needed)
        for name in image.programs:
            self._ensure_program(name)
        with self.steps.step(f"build image {image.reference}", f"image {image.name}"):
            self.workshop.build(image)
            if image.preloads:
                node_image.preload(image, [self.images[name] for name in image.preloads])

    @contextmanager
    def _compiled_ahead(self, programs: Iterable[str]) -> Iterator[None]:
        beside = ThreadPoolExecutor(max_workers=1)  # the compiler itself uses every processor
        self._compiling = {name: beside.submit(self._compile, name) for name in dict.fromkeys(programs)}
        try:
            yield
        finally:
            beside.shutdown(cancel_futures=True)
            self._compiling = {}

    def is_present(self, image: Image) -> bool:
        """In the engine under all its names, and not from an older recipe."""
        names = (image.reference, *image.aliases)
        found = labels_of(names)
        key = self.workshop.image_key(image)
        return all(name in found and found[name].get(LABEL, key) == key for name in names)

    def is_built_here(self, labels: Mapping[str, str]) -> bool:
        """Whether an image with these labels came out of this workshop, whenever."""
        return LABEL in labels

    def kind(self) -> Path:
        """The kind program: the machine's own if it is of the pinned version, else built."""
        found = shutil.which("kind")
        if found and f" v{self.of.versions['kind']} " in f"{run.output(found, 'version', check=False)} ":
            return Path(found)
        self._ensure_program("kind")
        return self.workshop.program("kind")

    def remove_built(self) -> None:
        """Take what the lab built out of an engine that is not its own, children before their parents."""
        for image in list(self.of.images.values())[::-1]:
            for name in (image.reference, *image.aliases, bare(image)):
                if LABEL in labels_of([name]).get(name, {}):
                    run.works("docker", "image", "rm", name, env=engine.environment())

    def _ensure_program(self, name: str) -> None:
        if ahead := self._compiling.get(name):
            ahead.result()
        else:
            self._compile(name)

    def _compile(self, name: str) -> None:
        if not self.workshop.is_built(name):
            with self.steps.step(f"compile {name}", f"program {name}"):
                self.workshop.program(name)

    def _pull(self, image: Image) -> bool:
        """Whether it was pulled. A registry is given up on when silent, not when it lacks one image."""
        registry = registry_of(image.reference)
        if registry in self.silent:
            return False
        spoke = run.speaks_within(ANSWER_SECONDS, "docker", "pull", image.reference, env=engine.environment())
        if not spoke:
            if spoke is None:
                self.silent.add(registry)
            said = f"no answer in {ANSWER_SECONDS} s" if spoke is None else "refused or not there"
            self.steps.note(f"{image.reference} cannot be pulled ({said}): building it")
            return False
        try:
            with self.steps.step(f"pull {image.reference}", f"pull {image.name}"):
                run.do("docker", "pull", image.reference, env=engine.environment(), timeout=1800)
        except StepFailed:
            return False
        return True


def registry_of(reference: str) -> str:
    """The host part of a reference, or Docker Hub's usual name (pure)."""
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first) else "docker.io"


def labels_of(references: Iterable[str]) -> dict[str, dict[str, str]]:
    """Labels of those of `references` that the engine has."""
    found = {}
    for reference in references:
        words = ("docker", "image", "inspect", "-f", "{{json .Config.Labels}}", reference)
        text = run.output(*words, env=engine.environment(), check=False)
        if text:
            found[reference] = json.loads(text) or {}
    return found
