"""Charsets other than UTF-8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cloudstore_tui.ui.terminal.charset import charset_of, environment_at_start, key_in_charset, to_charset


@pytest.mark.parametrize(
    ("environment", "charset"),
    [
        ({}, "ascii"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "POSIX"}, "ascii"),
        ({"LANG": "en_GB.UTF-8"}, "utf-8"),
        ({"LANG": "C.utf8"}, "utf-8"),
        ({"LANG": "C", "LC_CTYPE": "UTF-8"}, "utf-8"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, "ascii"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": ""}, "utf-8"),
        ({"LANG": "de_DE.ISO-8859-15@euro"}, "iso8859-15"),
        ({"LANG": "ja_JP.eucJP"}, "euc_jp"),
        ({"LANG": "en_GB"}, "ascii"),
        ({"LANG": "xx.no-such-charset"}, "ascii"),
    ],
)
def test_the_locale_tells_the_charset(environment: dict[str, str], charset: str) -> None:
    assert charset_of(environment) == charset


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("╭─ Places ─┬╮│┃", "+- Places -++||"),
        ("▶ ▼ • ✓ ✗ ⚠", "> v * + x !"),
        ("repo…01.tar", "repo*01.tar"),
        ("d → …/2024-09-01 Mei/", "d > */2024-09-01 Mei/"),
        ("café naïve Łódź", "cafe naive Lodz"),
        ("a\u0301b", "ab"),
        ("漢字", "????"),
        ("\u2018x\u2019 “y” \u2013 z", "'x' \"y\" - z"),
        ("█▌░░", "#|::"),
    ],
)
def test_signs_that_ascii_lacks_are_drawn_with_what_it_has(text: str, drawn: str) -> None:
    assert to_charset(text, "ascii") == drawn


def test_a_charset_keeps_what_it_has() -> None:
    assert to_charset("café ┃ ½ €", "iso8859-1") == "café | ½ E"
    assert to_charset("café €", "iso8859-15") == "café €"


@given(st.text(st.characters(min_codepoint=0xA0, max_codepoint=0x1FAFF, exclude_categories=["Cs", "Cc", "Cf"])))
def test_the_width_stays_and_all_can_be_written(text: str) -> None:
    drawn = to_charset(text, "ascii")
    assert drawn.isascii()
    assert len(drawn) == sum(cell_len(character) for character in text)


def test_what_python_sets_for_itself_is_not_taken_for_the_user_s() -> None:
    assert "PATH" in environment_at_start({})


@pytest.mark.parametrize(
    ("display", "shown"),
    [("↓", "down"), ("⏎", "enter"), ("⌫", "backspace"), ("alt+←", "alt+left"), ("^f", "^f"), ("v", "v")],
)
def test_a_key_that_cannot_be_drawn_is_named_instead_of_looking_like_another_key(display: str, shown: str) -> None:
    assert key_in_charset(display, "ascii") == shown
    assert key_in_charset(display, "utf-8") == display
