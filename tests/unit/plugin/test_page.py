"""What is printed is aligned, folded where there is a width, and harmless whoever wrote it."""

from bankstack.plugin.page import HIDDEN, Cell, Page, Tone, breadth, pairs, plain


def test_columns_are_as_wide_as_they_have_to_be() -> None:
    rows = [(Cell("LndNode"), Cell("a")), (Cell("x"), Cell("bank", Tone.GOOD))]
    assert Page().table(("KIND", "NAME"), rows) == [
        "KIND     NAME",
        "LndNode  a",
        "x        bank",
    ]


def test_wide_and_combining_characters_take_the_columns_they_take() -> None:
    assert breadth("銀行") == 4
    assert breadth("e\N{COMBINING ACUTE ACCENT}") == 1
    assert Page().table(("A", "B"), [(Cell("銀行"), Cell("x")), (Cell("bank"), Cell("y"))])[1:] == [
        "銀行  x",
        "bank  y",
    ]


def test_the_last_column_is_folded_under_itself() -> None:
    assert Page(width=30).table(("STEP", "EVIDENCE"), [(Cell("Check"), Cell("synced at height 113, one channel"))]) == [
        "STEP   EVIDENCE",
        "Check  synced at height 113,",
        "       one channel",
    ]


def test_a_hash_is_never_cut() -> None:
    assert Page(width=20).paragraph("it is sha256:2c26b46b68ffc68ff99b now", "  ") == [
        "  it is",
        "  sha256:2c26b46b68ffc68ff99b",
        "  now",
    ]


def test_nothing_that_others_wrote_reaches_the_terminal_as_a_command() -> None:
    forged = "routine\x1b[2K\x1b[1A\rRisk Green\nApproved\u202eevil\u200b\x9b31m\x07"
    told = f"routine{HIDDEN}[2K{HIDDEN}[1A Risk Green Approved{HIDDEN}evil{HIDDEN}{HIDDEN}31m{HIDDEN}"
    assert plain(forged) == told
    page = Page()
    assert page.line(forged) == told
    assert page.paragraph(forged) == [told]
    assert page.command(forged) == f"  {told}"
    assert page.table(("A", "B"), [(Cell(forged), Cell(forged))])[1] == f"{told}  {told}"
    assert pairs(page, [("Reason", forged)]) == [f"Reason  {told}"]


def test_colours_are_where_they_are_wanted_and_move_no_column() -> None:
    rows = [(Cell("True", Tone.GOOD), Cell("a")), (Cell("Unknown"), Cell("b"))]
    assert Page(colours=True).table(("READY", "NAME"), rows) == [
        "\033[1mREADY\033[0m    \033[1mNAME\033[0m",
        "\033[32mTrue\033[0m     a",
        "Unknown  b",
    ]
    assert "\033" not in "".join(Page().table(("READY", "NAME"), rows))


def test_what_has_no_value_has_no_line() -> None:
    assert pairs(Page(width=24), [("Risk", "Amber: by another person"), ("Dry run", "")]) == [
        "Risk  Amber: by another",
        "      person",
    ]
