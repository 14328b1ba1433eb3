"""CSV that is read back as it was, by any reader, and never runs."""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudstore_tui.core.records import csv_row, without_formula

cells = st.text(st.sampled_from("a1;,\t\r\n\"'=+-@|% .\x85\u2028"), max_size=8)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("+1 669", "'+1 669"),
        ("+123456", "'+123456"),
        ("+16695555518", "+16695555518"),
        ("-5", "-5"),
        ("-0.35", "-0.35"),
        ("-5+cmd", "'-5+cmd"),
        ("-5\n", "-5\n"),
        ("-1;", "'-1;"),
        ("-1;cmd|x", "'-1;cmd|x"),
        ("x\n-1;2", "x\n'-1;2"),
        ("x;-1\t2", "x;'-1\t2"),
        ("x\t-1\t+16695555518\n-2", "x\t-1\t+16695555518\n-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("|calc", "'|calc"),
        ("＝1+1", "'＝1+1"),  # noqa: RUF001 - a formula in full width
        (" =1", "' =1"),
        ("x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"),
        ("1\n=1+1\r@SUM(1)", "1\n'=1+1\r'@SUM(1)"),
        ("x\t=1", "x\t'=1"),
        ("x; =1", "x;' =1"),
        ('x;"=1', "x;'\"=1"),
        ("0.5;-0.35;x", "0.5;-0.35;x"),
        ("a-b=c", "a-b=c"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_is_disarmed_and_nothing_else_changes(text: str, cell: str) -> None:
    assert without_formula(text) == cell


def test_a_tag_cannot_forge_rows_or_cells() -> None:
    row = csv_row(["id", "1\n=1+1\r@SUM(1)", "x;=cmd", 'say "no"', "a,b"])
    assert row == 'id,"1\n\'=1+1\r\'@SUM(1)","x;\'=cmd","say ""no""","a,b"'


@given(st.lists(cells, min_size=2, max_size=4))
@example(["\r", ""])
@example(["a\x85b", "c"])
def test_every_row_is_read_back_as_it_was_written(row: list[str]) -> None:
    text = f"{csv_row(row)}\r\n"
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[without_formula(cell) for cell in row]]


@given(st.lists(cells, min_size=2, max_size=4))
@example(["", "-1;"])
@example(["-1\n+2", "x;-1\t2"])
def test_no_reader_finds_a_formula_wherever_it_cuts(row: list[str]) -> None:
    for cuts in ("[;\r\n]", "[\t\r\n]", r"[\r\n]*\Z"):
        pieces = [piece for cell in row for piece in re.split(cuts, without_formula(cell))]
        formulas = [piece for piece in pieces if re.match(r'[\s"]*[=+\-@|%]', piece)]
        assert all(re.fullmatch(r"-[0-9]+(\.[0-9]+)?|\+[0-9]{7,15}", piece) for piece in formulas)
