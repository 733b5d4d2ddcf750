"""`hack/lab`: words in, one exit code out (0 done, 1 a step failed, 2 refused)."""

import argparse
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from labkit import catalog, cluster, engine, faults, kindconfig, node_image, nodes, paths, preflight, regions, report
from labkit.errors import LabError, Refused, StepFailed
from labkit.progress import Steps
from labkit.supply import Supply

Arguments = argparse.Namespace


def main(words: Sequence[str]) -> int:
    """Run one command; every failure ends as a sentence, never as a traceback."""
    parser = _parser()
    if words[:1] == ["kubectl"]:  # its words are its own: argparse would take their options for ours
        words = ["kubectl", "--", *words[1:]]
    arguments = parser.parse_args(words)
    return ended(lambda: _do(arguments))


def _do(arguments: Arguments) -> None:
    command: Callable[[Arguments], None] = arguments.command
    preflight.require_linux()
    with ExitStack() as stack:
        if arguments.changes:
            stack.enter_context(alone())
            engine.tidy_scratch()
            cluster.free_kubeconfig()
        command(arguments)


def ended(work: Callable[[], None]) -> int:
    """How `work` ended, as an exit code; a failure is told in a sentence."""
    try:
        work()
    except StepFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        if failure.tail:
            print("\n".join(f"  | {line}" for line in failure.tail.splitlines()), file=sys.stderr)
        if failure.log:
            print(f"The whole log: {failure.log}", file=sys.stderr)
        return failure.exit_code
    except LabError as refusal:
        print(refusal, file=sys.stderr)
        return refusal.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # `| head` has seen enough
        return 0
    except OSError as error:
        what = f"{error.filename or 'The system'}: {error.strerror}."
        print(f"{what} What was done before stays; mend this and run it again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def up(arguments: Arguments) -> None:
    """Engine → kind → node image → clusters; every part that is there already is kept."""
    asked = cluster.decide_wanted(
        regions.parse(arguments.regions) if arguments.regions else None, arguments.clusters, cluster.wanted()
    )
    plans = asked.plans()
    if cut_off := faults.cut_regions():
        raise Refused(f"{', '.join(cut_off)} is cut off and cannot get ready: `hack/lab heal {cut_off[0]}` first.")
    began = time.monotonic()
    steps = steps_of("up")
    host, supply = _ready_engine(steps)
    for plan in plans:
        cluster.refuse_foreign(plan.name)
    image = supply.images["kind-node"]
    supply.ensure(image)
    cluster.up(steps, supply.kind(), image.reference, asked, host)
    print(report.after_up(plans, time.monotonic() - began))


def down(_: Arguments) -> None:
    """Remove the lab's clusters and stop its engine; the cache stays."""
    _take_down(steps_of("down"))


def clean(_: Arguments) -> None:
    """`down`, then the cache and the images built by the lab."""
    _take_down(steps_of("down"), images=True)
    shutil.rmtree(paths.cache(), ignore_errors=True)


def status(_: Arguments) -> None:
    """What runs, what is cut, what was built."""
    print(report.status())


def images(arguments: Arguments) -> None:
    """Supply every image of a bank, or those named, and say which way each took."""
    of = catalog.load()
    wanted = [catalog.find(word, of.named) for word in arguments.only] or list(of.bank.values())
    _, supply = _ready_engine(steps_of("images"))
    print(report.supplied(wanted, supply.ensure(*wanted)))


def load(arguments: Arguments) -> None:
    """Put images into the nodes, supplying them first."""
    table = catalog.load().named
    wanted = [catalog.find(word, table) for word in arguments.images]
    faults.running()
    chosen = regions.parse(arguments.regions) if arguments.regions else None
    if chosen:
        known = faults.all_edges()
        for region in chosen:
            faults.edge_of(region, known)
    steps = steps_of("load")
    _, supply = _ready_engine(steps)
    supply.ensure(*wanted)
    with steps.step(f"load {', '.join(image.name for image in wanted)}", f"load {len(wanted)}"):
        copies = faults.load(wanted, chosen)
    print(f"{copies} copies made" if copies else "every node has them already")


def cut(arguments: Arguments) -> None:
    """Cut a region off; its pods keep running."""
    faults.cut(arguments.region, arguments.other)
    print(f"{arguments.region} is cut off from {arguments.other or 'everybody'}; to undo: heal {arguments.region}")


def heal(arguments: Arguments) -> None:
    """Undo cuts."""
    faults.heal(arguments.region, arguments.other)
    left = " (it is still cut off from everybody)" if arguments.region in faults.cut_regions() else ""
    print(f"{arguments.region} is connected to {arguments.other or 'everybody'} again{left}")


def kill_node(arguments: Arguments) -> None:
    """Power off."""
    print(f"{faults.kill_node(arguments.region)} is off; `hack/lab start-node {arguments.region}` brings it back")


def start_node(arguments: Arguments) -> None:
    """Power on."""
    print(f"{faults.start_node(arguments.region)} is Ready")


def kubectl(arguments: Arguments) -> None:
    """Become kubectl with the lab's configuration."""
    if not paths.kubectl().exists() or not paths.kubeconfig().exists():
        raise Refused("No lab is running: `hack/lab up` first.")
    os.execve(paths.kubectl(), ["kubectl", *arguments.words], _environment())  # noqa: S606 - that is the command


def audit(_: Arguments) -> None:
    """Every request the API servers have answered, as lines of JSON, oldest first."""
    for plan in faults.running().plans():
        # By the node: on the host the file is root's alone.
        script = f"cat $(ls -tr {kindconfig.AUDIT_FOLDER}/*.log)"
        print(nodes.inside(f"{plan.name}-control-plane", ["sh", "-c", script]))


def shell(_: Arguments) -> None:
    """Become a shell in which docker, kind and kubectl mean the lab's."""
    environment = _environment()
    shell_path = os.environ.get("SHELL", "/bin/sh")
    os.execve(shell_path, [shell_path], environment)  # noqa: S606 - that is the command


def _environment() -> dict[str, str]:
    path = f"{paths.cache() / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **engine.environment(), "KUBECONFIG": str(paths.kubeconfig()), "PATH": path}


def steps_of(command: str) -> Steps:
    """The steps of one run of a command, with logs of their own."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return Steps(paths.cache() / "logs" / f"{stamp}-{command}", paths.cache() / "times.json")


def _ready_engine(steps: Steps) -> tuple[preflight.Host, Supply]:
    """The checks, then an engine that answers."""
    answers = engine.answers()
    supply = Supply.standard(steps)
    built = (answers and supply.is_present(supply.images["kind-node"])) or supply.workshop.is_built("kubernetes")
    host = preflight.look(engine=answers, built=built, running=answers and cluster.wanted() is not None)
    preflight.require(host)
    engine.refuse_other_cache()
    if not answers:
        with steps.step("start a container engine"):
            engine.start(host)
    return host, supply


def _take_down(steps: Steps, *, images: bool = False) -> None:
    engine.refuse_other_cache()
    host = preflight.look(engine=engine.answers(), built=True, running=True)
    if not host.engine and engine.has_leftovers() and host.root:
        with steps.step("start the lab's engine, to remove what it left"):
            engine.start(host)
    elif not host.engine and cluster.wanted() is not None:
        raise Refused("The engine that runs the lab does not answer: start it (`systemctl start docker`), then again.")
    if engine.answers():
        with steps.step("remove clusters"):
            node_image.remove_debris()
            cluster.down()
        if images and not engine.is_ours():
            with steps.step("remove images the lab built"):
                Supply.standard(steps).remove_built()
    if engine.was_started():
        with steps.step("stop the lab's engine"):
            engine.stop()
    cluster.forget()


class alone:  # noqa: N801 - read as a word: `with alone`
    """One changing command at a time; others wait and say so. A killed holder frees it."""

    def __init__(self, command: str = "hack/lab", lock: str = ".lock") -> None:
        self._command = command
        self._lock = lock

    def __enter__(self) -> None:
        file = paths.cache() / self._lock
        while True:
            paths.cache().mkdir(parents=True, exist_ok=True)
            self._file = file.open("w")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"another {self._command} is at work; waiting for it", file=sys.stderr)
                fcntl.flock(self._file, fcntl.LOCK_EX)
            # `clean` removes the file that others wait for: what they then hold is nobody's.
            if file.exists() and os.path.samestat(file.stat(), os.fstat(self._file.fileno())):
                return
            self._file.close()

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hack/lab", description="A real Kubernetes with regions that can be cut off.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[Arguments], None], text: str, *, changes: bool = True
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=run, changes=changes)
        return sub

    sub = command("up", up, "bring the lab up, or finish doing so")
    sub.add_argument("--regions", metavar="A,B,…", help="one worker node each (default: east,west,central)")
    sub.add_argument("--clusters", type=int, metavar="N", help="deal the regions over N clusters on one network")
    command("down", down, "remove the lab; the cache stays")
    command("clean", clean, "remove the lab and its cache")
    command("status", status, "what runs, what is cut, what was built", changes=False)
    sub = command("images", images, "supply the images of a bank: present, else pulled, else built")
    sub.add_argument("--only", metavar="NAME", action="append", default=[], help="this one; may be repeated")
    sub = command("load", load, "put images into the nodes")
    sub.add_argument("images", nargs="+", metavar="IMAGE", help=f"one of: {', '.join(catalog.load().named)}")
    sub.add_argument("--regions", metavar="A,B,…", help="only into these regions' nodes")
    for name, verb, text in (("cut", cut, "cut a region off; its pods keep running"), ("heal", heal, "undo cuts")):
        sub = command(name, verb, text)
        sub.add_argument("region")
        sub.add_argument("--from", dest="other", metavar="REGION", help="between these two alone")
    command("kill-node", kill_node, "power a region's node off").add_argument("region")
    command("start-node", start_node, "power it on again").add_argument("region")
    sub = command("kubectl", kubectl, "kubectl of the lab's clusters", changes=False)
    sub.add_argument("words", nargs="*")
    command("audit", audit, "print the API servers' audit log", changes=False)
    command("shell", shell, "a shell with the lab's docker and kubectl", changes=False)
    return parser
