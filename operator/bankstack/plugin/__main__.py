"""Where `kubectl bank` begins and ends: words in, lines and an exit code out, and never a traceback."""

import asyncio
import json
import logging
import os
import re
import shutil
import sys
import traceback
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from io import TextIOWrapper

from bankstack.plugin import arguments
from bankstack.plugin.arguments import PROGRAM
from bankstack.plugin.known import Usage
from bankstack.plugin.page import Page

FINE, NOT_FINE, USAGE, INTERRUPTED = 0, 1, 2, 130


class Terminal:
    """The person, where there is one."""

    def is_there(self) -> bool:
        """Whether somebody can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def answers(self, question: str) -> str:
        """What they type; nothing where they leave."""
        # On stderr: what is printed on stdout is the answer, and may go into a file.
        print(question, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline()

    def reads(self, lines: list[str]) -> None:
        """Before the question."""
        print(*lines, "", sep="\n", file=sys.stderr)


def main(words: list[str] | None = None) -> int:
    """The exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name that the terminal's encoding lacks is no failure
    logging.disable()  # what a library has to say is no sentence
    try:
        return _told(arguments.parse(sys.argv[1:] if words is None else words))
    except Usage as wrong:
        return _failed(str(wrong), USAGE)
    except KeyboardInterrupt:
        return _failed("interrupted: look before you try again", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read it has enough; the interpreter must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    finally:
        logging.disable(logging.NOTSET)


def _told(asked: Namespace) -> int:
    # Late: help, and what makes no sense, are answered without these.
    from bankstack import lean  # noqa: F401, PLC0415 - first: kubernetes imports much less then
    from bankstack.engine.finding import Interrupted  # noqa: PLC0415
    from bankstack.plugin.access import Refused  # noqa: PLC0415

    try:
        return asyncio.run(_answered(asked))
    except Refused as refused:
        return _failed(str(refused), NOT_FINE)
    except Interrupted as found:
        return _failed(found.finding.message, NOT_FINE)
    except (Usage, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the rim: a person gets a sentence
        return _failed(_unforeseen(error), NOT_FINE)


async def _answered(asked: Namespace) -> int:
    from bankstack.plugin import access, commands  # noqa: PLC0415 - late, see above

    name = f"plan {asked.plan_command}" if asked.command == "plan" else asked.command
    way = access.Way(asked.kubeconfig, asked.context, asked.impersonated)
    async with access.cluster(way) as cluster:
        at = commands.Round(
            asked, cluster, asked.namespace or cluster.namespace, Terminal(), _page(), datetime.now(UTC)
        )
        answer = await commands.COMMANDS[name](at)
    print(as_json(answer.view) if asked.output == "json" else "\n".join(answer.lines))
    sys.stdout.flush()
    return answer.code


def _page() -> Page:
    if not sys.stdout.isatty():
        return Page()
    colours = "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Page(colours, shutil.get_terminal_size().columns)


def as_json(view: object) -> str:
    """For programs: names as Kubernetes writes them."""
    return json.dumps(_plain(view), indent=2)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {_camel(one.name): _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda found: found[1].upper(), name)


def _unforeseen(error: Exception) -> str:
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(where.filename)}:{where.lineno}"  # noqa: PTH119 - a name, no path
    return f"something that nobody foresaw ({type(error).__name__} at {place}: {error}): please report it"


def _failed(sentence: str, code: int) -> int:
    print(f"{PROGRAM}: {Page().line(sentence)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
