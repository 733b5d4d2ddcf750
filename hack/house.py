"""House rules that no linter has: sizes, the source root, no address of a registry or machine.

Run by `hack/check`. Prints one sentence per finding; exits 1 where there is any.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 70
_LOCKS = re.compile(r"\.(lock|sum)$|package-lock\.json$|requirements.*\.txt$")
_ADDRESS = re.compile(r"https?://(?!(localhost|127\.0\.0\.1)\b)\S+")


def findings(root: Path) -> Iterator[str]:
    """Every breach in the files git knows or would take."""
    if (root / "operator" / "__init__.py").exists():
        yield "operator/__init__.py: it would shadow the standard library's `operator`; remove it."
    for path in tracked(root):
        name = path.relative_to(root)
        if path.suffix == ".py":
            yield from (f"{name}: {finding}" for finding in sizes(path.read_text(encoding="utf-8")))
        if _LOCKS.search(path.name) and _ADDRESS.search(path.read_text(encoding="utf-8")):
            yield f"{name}: a lock file names a registry's address; lock without addresses."


def tracked(root: Path) -> list[Path]:
    """Files git tracks or would, without what it ignores."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    return [path for line in listing.splitlines() if (path := root / line).is_file()]


def sizes(source: str) -> Iterator[str]:
    """Files and functions that ask to be two."""
    lines = len(source.splitlines())
    if lines > FILE_LINES:
        yield f"{lines} lines, over {FILE_LINES}: it asks to be two rooms."
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{node.name} has {length} lines, over {FUNCTION_LINES}."


if __name__ == "__main__":
    found = list(findings(Path(__file__).resolve().parent.parent))
    print("\n".join(found))
    sys.exit(bool(found))
