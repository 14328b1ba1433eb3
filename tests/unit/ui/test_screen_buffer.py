"""What a terminal shows, cell by cell, and the styles that it is sent."""

from collections.abc import Callable
from typing import Any

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudstore_tui.ui.terminal.screen_buffer import ScreenBuffer, change, normal, on_space

SeenCells = Callable[[Any], list[list[Any]]]

COLUMNS, ROWS = 24, 6

LOOKS = ["", "1", "7", "2;4", "31", "1;38;2;1;2;3;48;2;4;5;6", "48;2;4;5;6", "38;5;9;48;5;17", "3;9;97;104", "39;49"]
WIDE_AND_NARROW = "ab c0…─│漢字かé🙂"


def width(text: str) -> int:
    return sum(2 if character in "漢字か🙂" else 1 for character in text)


class Both:
    """A terminal that gets whole frames, and one that gets what the buffer makes of them."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self.buffer = ScreenBuffer(columns, rows)
        self.whole, self.changed = pyte.Screen(columns, rows), pyte.Screen(columns, rows)
        self.to_whole, self.to_changed = pyte.Stream(self.whole), pyte.Stream(self.changed)
        for stream in (self.to_whole, self.to_changed):
            stream.feed("\x1b[?7l")

    def draw(self, frame: str) -> str:
        self.to_whole.feed(frame)
        self.buffer.draw(frame)
        changes = self.buffer.changes()
        self.to_changed.feed(changes)
        return changes

    def check(self, seen_cells: SeenCells) -> None:
        assert seen_cells(self.whole) == seen_cells(self.changed)
        assert (self.whole.cursor.x, self.whole.cursor.y) == (self.changed.cursor.x, self.changed.cursor.y)


def line(row: int, *parts: tuple[str, str], column: int = 1) -> str:
    drawn = "".join(f"\x1b[{style}m{text}\x1b[0m" if style else text for style, text in parts)
    return f"\x1b[{row};{column}H{drawn}"


@st.composite
def frames(draw: st.DrawFn) -> str:
    """Some whole lines, each of parts with styles_of of their own, as the compositor writes them."""
    rows = draw(st.lists(st.integers(1, ROWS), min_size=1, max_size=ROWS, unique=True))
    out = ""
    for row in sorted(rows):
        parts, left = [], COLUMNS
        while left:
            text = draw(st.text(WIDE_AND_NARROW, min_size=1, max_size=8))
            while width(text) > left:
                text = text[:-1] or " "
            left -= width(text)
            parts.append((draw(st.sampled_from(LOOKS)), text))
        out += line(row, *parts)
    return out + f"\x1b[{draw(st.integers(1, ROWS))};{draw(st.integers(1, COLUMNS))}H"


@settings(max_examples=100, deadline=None)
@given(st.lists(frames(), min_size=1, max_size=6))
def test_any_frames_end_in_the_same_screen(seen_cells: SeenCells, drawn: list[str]) -> None:
    both = Both()
    for frame in drawn:
        both.draw(frame)
        both.check(seen_cells)


@settings(max_examples=40, deadline=None)
@given(st.lists(frames(), min_size=2, max_size=6))
def test_frames_that_were_never_sent_are_not_missed(seen_cells: SeenCells, drawn: list[str]) -> None:
    both = Both()
    for frame in drawn[:-1]:
        both.to_whole.feed(frame)
        both.buffer.draw(frame)
    both.draw(drawn[-1])
    both.check(seen_cells)


def test_the_same_frame_again_costs_nothing() -> None:
    both = Both()
    frame = line(2, ("1", "hello"), ("48;5;17", "   world")) + "\x1b[1;1H"
    assert both.draw(frame)
    assert both.draw(frame) == ""
    assert not both.buffer.is_stale


def test_one_changed_cell_is_one_move_and_one_cell(seen_cells: SeenCells) -> None:
    both = Both()
    both.draw(line(3, ("31", "abcdefghij")) + "\x1b[1;1H")
    assert both.draw(line(3, ("31", "abcdeXghij")) + "\x1b[1;1H") == "\x1b[3;6HX\x1b[H"
    both.check(seen_cells)


def test_colours_of_spaces_that_nobody_sees_are_not_sent() -> None:
    both = Both()
    both.draw(line(1, ("31;44", "a   "), ("32;44", "    ")) + "\x1b[1;1H")
    assert both.draw(line(1, ("31;44", "a   "), ("1;33;44", "    ")) + "\x1b[1;1H") == ""


def test_on_a_terminal_that_was_cleared_everything_is_drawn_again(seen_cells: SeenCells) -> None:
    both = Both()
    both.draw("".join(line(row, ("31", "x" * COLUMNS)) for row in range(1, ROWS + 1)) + "\x1b[2;2H")
    both.to_changed.feed("\x1b[m\x1b[H\x1b[2J")
    both.buffer.blank()
    both.to_changed.feed(both.buffer.changes())
    both.check(seen_cells)


def test_another_size_is_drawn_from_nothing(seen_cells: SeenCells) -> None:
    both = Both()
    both.draw(line(1, ("31", "漢" * (COLUMNS // 2))) + "\x1b[1;1H")
    both.buffer.resize(9, 3)
    assert not both.buffer.is_stale
    narrow = Both(9, 3)
    narrow.buffer = both.buffer
    narrow.draw("".join(line(row, ("32", "123456789")) for row in (1, 2, 3)) + "\x1b[3;9H")
    narrow.check(seen_cells)


def test_what_lies_outside_is_left_out() -> None:
    buffer = ScreenBuffer(4, 2)
    buffer.draw("\x1b[9;1Hbelow\n\x1b[1;3Habcdef\n\x1b[1;9Hbeside\x1b[9;9H")
    assert buffer.changes() == "\x1b[H\x1b[m  ab\x1b[2;4H"


def test_half_of_a_wide_character_is_a_space() -> None:
    both = Both(6, 1)
    both.draw("\x1b[1;1H漢字漢\x1b[1;1H")
    assert both.draw("\x1b[1;2HX\x1b[1;1H") == " X\x1b[H"
    assert both.changed.display == [" X字漢"]


def test_joined_characters_stay_together_and_the_place_behind_them_is_known() -> None:
    buffer = ScreenBuffer(20, 1)
    buffer.draw("\x1b[1;1Ha\u0301👩\u200d👩\u200d👧b\x1b[1;1H")
    changes = buffer.changes()
    assert "a\u0301" in changes
    assert "👩\u200d👩\u200d👧\x1b[1;4Hb" in changes


def test_without_colours_only_signs_are_left() -> None:
    buffer = ScreenBuffer(10, 1, colours=False)
    buffer.blank()
    buffer.draw("\x1b[1;1H\x1b[1;7;38;2;1;2;3;48;5;4mab\x1b[0m\x1b[91mc\x1b[0m\x1b[1;1H")
    assert buffer.changes() == "\x1b[1;7mab\x1b[mc\x1b[H"


def test_a_terminal_without_utf_8_gets_ascii_of_the_same_width() -> None:
    buffer = ScreenBuffer(20, 1, charset="ascii")
    buffer.blank()
    buffer.draw("\x1b[1;1H│─ café… 漢 ▶ é\x1b[1;1H")
    assert buffer.changes().encode("ascii") == b"|- cafe* ?? > e\x1b[H"


PARTS = st.sampled_from(
    ["1", "3", "4", "7", "9", "31", "92", "38;5;200", "38;2;1;2;3", "44", "105", "48;5;17", "48;2;9;8;7", "39", "49"]
)
STYLES = st.lists(PARTS, max_size=5).map(lambda parts: normal(";".join(parts), colours=True))


def look_after(sequence: str) -> tuple[object, ...]:
    screen = pyte.Screen(4, 1)
    pyte.Stream(screen).feed(f"{sequence}x")
    char = screen.buffer[0][0]
    return (char.fg, char.bg, char.bold, char.italics, char.underscore, char.strikethrough, char.reverse)


@given(STYLES, STYLES)
def test_a_change_ends_in_the_look_that_was_wanted(old: str, new: str) -> None:
    assert look_after(change(None, old) + change(old, new)) == look_after(change(None, new))


@pytest.mark.parametrize(
    ("old", "new", "sequence"),
    [
        ("1;31", "1;31", ""),
        ("31;44", "32;44", "\x1b[32m"),
        ("31;44", "1;31;44", "\x1b[1m"),
        ("1;31;44", "31;44", "\x1b[0;31;44m"),
        ("31", "", "\x1b[m"),
        ("38;2;1;2;3;48;2;4;5;6", "48;2;4;5;6", "\x1b[39m"),
        (None, "", "\x1b[m"),
        (None, "7", "\x1b[0;7m"),
    ],
)
def test_only_what_differs_is_sent(old: str | None, new: str, sequence: str) -> None:
    assert change(old, new) == sequence


def test_of_a_space_only_ground_and_lines_are_seen() -> None:
    assert on_space("1;3;31;44") == "44"
    assert on_space("4;31;44") == "4;31;44"
    assert on_space("7;31;44") == "7;31;44"


@given(st.tuples(*[st.sampled_from([0, 18, 38, 95, 135, 175, 200, 215, 228, 238, 248, 255])] * 3))
def test_a_colour_of_the_palette_is_sent_by_its_number_and_looks_the_same(levels: tuple[int, int, int]) -> None:
    red, green, blue = levels
    for kind in (38, 48):
        whole = f"{kind};2;{red};{green};{blue}"
        short = normal(whole, colours=True)
        assert len(short) <= len(whole)
        assert look_after(f"\x1b[{short}m") == look_after(f"\x1b[{whole}m")


def test_only_numbers_that_nobody_gives_another_colour_are_sent() -> None:
    assert normal("1;38;2;228;228;228;48;2;18;18;18", colours=True) == "1;38;5;254;48;5;233"
    assert normal("38;2;255;255;255;48;2;95;175;255", colours=True) == "38;5;231;48;5;75"
    assert normal("38;2;0;0;0;48;2;1;2;3", colours=True) == "38;2;0;0;0;48;2;1;2;3"


def test_without_colours_signs_stay() -> None:
    assert normal("1;38;2;1;2;3;7;48;5;4", colours=False) == "1;7"
    assert normal("0;1;0", colours=True) == ""
    assert normal("39;49", colours=True) == ""
