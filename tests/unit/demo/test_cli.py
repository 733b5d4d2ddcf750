"""Asked wrongly, hack/demo says so in one sentence and does nothing."""

import pytest

from demokit.cli import main


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["open"], "invalid choice: 'open'"),
        (["--fast"], "Unrecognized arguments: --fast: see `hack/demo --help`."),
        (["down", "now"], "Unrecognized arguments: now"),
        (["--lab"], "--lab belongs to `hack/demo down`"),
        (["pay", "--lab"], "--lab belongs to `hack/demo down`"),
    ],
)
def test_bad_words_get_one_sentence_and_exit_code_2(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert says in said.err
    assert len(said.err.splitlines()) == 1
