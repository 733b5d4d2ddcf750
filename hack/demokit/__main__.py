"""Started by `hack/demo`."""

import sys

from demokit.cli import main

sys.exit(main(sys.argv[1:]))
