"""`hack/test bench`: every budget that can be measured here, as a table. Exit code 1 where one is not kept."""

import logging
import os
import sys

from . import in_memory, in_the_lab, process
from .budgets import Row, table

#: Beyond it, times say more of the neighbours than of the operator.
BUSY = 4.0
BUSY_SAYS = ": the machine is busy, times above are not the operator's own\n"


def main() -> int:
    logging.disable(logging.CRITICAL)
    rows = [*process.rows(), *in_memory.rows()]
    if in_the_lab.is_up():
        rows += in_the_lab.rows()
    else:
        rows.append(Row("first child, memory, restart", 0, "", None, "the lab is not up (hack/lab up)"))
    print(table(rows))
    busy = os.getloadavg()[0]
    print(f"load average {busy:.1f} on {os.cpu_count()} processors", end="\n" if busy <= BUSY else BUSY_SAYS)
    return 0 if all(row.is_kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
