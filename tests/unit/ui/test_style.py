"""From one style to another, the shortest way."""

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.ui.terminal.screen_buffer import change, normal, on_space

PARTS = st.sampled_from(
    ["1", "3", "4", "7", "9", "31", "92", "38;5;200", "38;2;1;2;3", "44", "105", "48;5;17", "48;2;9;8;7", "39", "49"]
)
LOOKS = st.lists(PARTS, max_size=5).map(lambda parts: normal(";".join(parts), colours=True))


def look_after(sequence: str) -> tuple[object, ...]:
    screen = pyte.Screen(4, 1)
    pyte.Stream(screen).feed(f"{sequence}x")
    char = screen.buffer[0][0]
    return (char.fg, char.bg, char.bold, char.italics, char.underscore, char.strikethrough, char.reverse)


@given(LOOKS, LOOKS)
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
