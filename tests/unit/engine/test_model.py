"""What words of the models mean in numbers."""

import pytest

from bankstack.engine.model import in_bytes


@pytest.mark.parametrize(
    ("size", "most"),
    [("7", 7), ("2k", 2_000), ("500M", 500_000_000), ("1Ki", 1024), ("8Gi", 8 * 2**30), ("1Ti", 2**40)],
)
def test_a_size_in_bytes(size: str, most: int) -> None:
    assert in_bytes(size) == most
