"""Scans of the chain that were started from this process, and how they ended.

bitcoind tells how a scan ended only to the one who asked, hours later; it keeps no
record of it. So the asking goes on beside the passes, and its end is remembered until
a pass has seen it. Lost with the process: then nothing was seen, and the scan is asked
for again, which costs time and never a wrong balance.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bankstack.kinds.coldwallet.facts import Scan

log = logging.getLogger(__name__)


class Scans:
    """One scan per resource, by its uid."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def state(self, uid: str) -> Scan:
        """How far it has come, as seen from here."""
        task = self._tasks.get(uid)
        if task is None:
            return Scan.UNSEEN
        if not task.done():
            return Scan.RUNNING
        return Scan.UNSEEN if task.cancelled() or task.exception() else Scan.DONE

    async def start(self, uid: str, asking: Coroutine[Any, Any, None], patience: float) -> None:
        """Ask, unless it is being asked already; raises what went wrong within `patience` seconds."""
        if self.state(uid) is Scan.RUNNING:
            asking.close()
            return
        task = asyncio.create_task(asking)
        self._tasks[uid] = task
        await asyncio.wait({task}, timeout=patience)
        if task.done():
            task.result()
        else:
            task.add_done_callback(_tell)

    def forget(self, uid: str) -> None:
        """What was scanned before says nothing about a new wallet."""
        if task := self._tasks.pop(uid, None):
            task.cancel()


def _tell(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("a scan for coins ended badly and will be asked for again: %s", error)
