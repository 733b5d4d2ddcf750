"""What the process imports: measured in a process of its own, as it is started."""

import json
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "operator"
ASK = """
import sys, time
began = time.process_time()
import bankstack.__main__
import json
print(json.dumps({"seconds": time.process_time() - began, "modules": sorted(sys.modules)}))
"""


def test_the_process_imports_nothing_that_it_does_not_use() -> None:
    asked = [sys.executable, "-c", ASK]
    answer = subprocess.run(asked, cwd=SOURCE, capture_output=True, text=True, check=True).stdout
    modules = set(json.loads(answer)["modules"])
    assert {"kopf", "kubernetes.aio.client.api_client"} <= modules
    assert not modules & {"grpc", "cryptography", "pymongo", "redis"}, "imported with the first resource that needs it"
    assert not modules & {"requests", "websocket", "kubernetes.config", "kubernetes.dynamic", "kubernetes.watch"}
    assert not [name for name in modules if name.startswith(("kubernetes.client.", "kubernetes.aio.client.models."))]
