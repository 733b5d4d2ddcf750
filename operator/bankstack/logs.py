"""Log lines as JSON on stdout, one form for everything that logs, kopf and aiohttp included.

A line says time, level, logger, message, and where they are known kind, resource and
reason. An error's text is left out: exceptions quote the values they stumble over.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from bankstack.engine.loop import trace

#: What a line may say beside its message, where whoever logs says so.
EXTRA: Final = ("kind", "resource", "reason")
#: Told of every object and every request: only what is wrong with them is worth a line.
QUIET: Final = ("kopf", "aiohttp.access", "asyncio", "grpc", "kubernetes", "aiohttp_retry")


class JsonLines(logging.Formatter):
    """One record, one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; keys in a fixed order, so that people can read it too."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, str] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: str(value) for key in EXTRA if (value := getattr(record, key, None)) is not None}
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = trace(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def start(level: str, stream: TextIO | None = None) -> None:
    """Everything logs in this form from now on."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level.upper()), logging.WARNING))
    # Warnings of libraries are lines too, not something else on stderr.
    logging.captureWarnings(capture=True)
