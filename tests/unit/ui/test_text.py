import sys
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from cloudstore_tui.core.errors import UnsafeError
from cloudstore_tui.core.text import MAX_MARKS
from cloudstore_tui.ui.text import COMMANDS, check_guard, end_of, home_path, install_guard, plain, show

UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
BLANK = {
    *"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0",
    *map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
}
"""Letters, marks and symbols that are drawn as nothing."""
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
MEAN_TEXT = st.text("a\u200d\ufe0f\u0301\u0300❤👩\U0001f3fd\x1b\u202e1 \u20e3", max_size=30)


def every_character() -> list[str]:
    return [chr(number) for number in range(sys.maxunicode + 1)]


def test_every_character_of_unicode_that_is_not_drawn_is_shown_as_a_code_of_its_own() -> None:
    codes: set[str] = set()
    for character in every_character():
        shown = plain(f"a{character}b")
        if unicodedata.category(character) in UNSEEN:
            assert shown not in codes
            codes.add(shown)
            assert shown[0] == "a"
            assert shown[-1] == "b"
            assert character not in shown
            assert len(shown) >= 3
            assert not {unicodedata.category(each) for each in shown} & UNSEEN
        elif character in BLANK:
            assert shown == f"a‹{ord(character):04X}›b"
        else:
            assert shown == f"a{character}b", ascii(character)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "␛[2J"),
        ("a\x7f\x9b", "a␡‹009B›"),
        ("gpj\u202e.exe", "gpj‹202E›.exe"),
        ("a\nb\tc\r", "a␊b␉c␍"),
        ("\ud800", "‹D800›"),
        ("zero\u200bwidth", "zero‹200B›width"),
        ("a\u200db", "a‹200D›b"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("👩\u200d", "👩‹200D›"),
        ("a\ufe0f", "a‹FE0F›"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("🏴\U000e0067\U000e007f", "🏴‹E0067›‹E007F›"),
        ("\u0301a", "◌\u0301a"),
        ("e" + "\u0301" * 5 + "x", "e" + "\u0301" * 4 + "‹+1›x"),
        ("e" + "\u0301" * 500, "e" + "\u0301" * 4 + "‹+496›"),
        ("नमस्ते ไทยที่ 日本語 Żółć", "नमस्ते ไทยที่ 日本語 Żółć"),
        ("[bold]x[/] {name} %s $error", "[bold]x[/] {name} %s $error"),
        ("x" * 20, "x" * 9 + "…"),
    ],
)
def test_hostile_and_foreign_names_are_shown_as_they_are(text: str, shown: str) -> None:
    assert plain(text, 10 if text.startswith("xx") else 1000) == shown
    assert show(text, 10 if text.startswith("xx") else 1000).plain == shown


@given(ANY_TEXT | MEAN_TEXT)
def test_any_text_is_one_drawn_line_with_few_marks(text: str) -> None:
    shown = plain(text)
    marks = 0
    for index, character in enumerate(shown):
        category = unicodedata.category(character)
        assert category not in UNSEEN or (character == "\u200d" and 0 < index < len(shown) - 1)
        marks = marks + 1 if category[0] == "M" else 0
        assert marks <= MAX_MARKS
    assert plain(shown) == shown
    shown.encode()


@given(ANY_TEXT | MEAN_TEXT)
def test_both_ways_to_the_screen_show_the_same(text: str) -> None:
    content = show(text)
    assert content.plain == plain(text)
    assert all(content.plain[span.start] in "‹␀␁␂␃␄␅␆␇␈␉␊␋␌␍␎␏␐␑␒␓␔␕␖␗␘␙␚␛␜␝␞␟␡" for span in content.spans)


def test_codes_have_a_style_of_their_own_and_literal_text_has_none() -> None:
    assert [(span.start, span.end) for span in show("a\x1bb\u202e").spans] == [(1, 2), (3, 9)]
    assert show("[red]a[/] ‹202E›").spans == []


def test_a_megabyte_of_the_worst_is_cut_before_it_is_looked_at() -> None:
    started = time.process_time()
    assert len(plain("\u202e" * 1_000_000)) < 100_000
    assert time.process_time() - started < 0.25


@pytest.fixture
def guard() -> None:
    install_guard()


@pytest.mark.usefixtures("guard")
@pytest.mark.parametrize("style", [None, Style(), Style(bold=True), Style(link="https://example.com")])
@pytest.mark.parametrize(
    "payload",
    [
        "\x1b]52;c;QQ==\x1b\\",
        "\x9b31m",
        "\x9d0;x\x9c",
        "a\rb\nc\x00\x7f\x05",
        "\u202e\u2066\u2028\u061c\ufeff",
        "\ud800",
    ],
)
def test_the_belt_lets_nothing_through_that_a_terminal_could_obey(style: Style | None, payload: str) -> None:
    console = Console(force_terminal=True, color_system="truecolor")
    clean = Strip([Segment("x" * len(payload), style)]).render(console)
    drawn = Strip([Segment(payload, style)]).render(console)
    for character in payload:
        if COMMANDS.match(character):
            assert drawn.count(character) == clean.count(character)
    drawn.encode()


def test_installing_the_belt_twice_is_the_same_as_once() -> None:
    install_guard()
    once = Strip.render
    install_guard()
    assert Strip.render is once


def test_without_the_belt_the_self_test_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    install_guard()
    check_guard()
    monkeypatch.setattr(Strip, "render", lambda strip, _console: strip.text)
    with pytest.raises(UnsafeError, match="Textual"):
        check_guard()
    monkeypatch.undo()
    monkeypatch.setattr(Strip, "render_style", classmethod(lambda _, _style, text, **_others: text))
    with pytest.raises(UnsafeError):
        check_guard()


@pytest.mark.parametrize(
    ("width", "shown"),
    [(20, "~/calls/2024/日本語/"), (19, "…calls/2024/日本語/"), (8, "…日本語/"), (7, "…本語/"), (1, "…")],
)
def test_of_a_path_that_is_too_long_its_end_is_left(width: int, shown: str) -> None:
    assert end_of("~/calls/2024/日本語/", width) == shown


def test_a_local_path_is_short_and_never_a_dot_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    assert home_path(here / "calls") == "./calls"
    assert home_path(here) == str(here)
    assert home_path(".") == str(here)
    assert home_path(home / "calls") == "~/calls"
    assert home_path("/elsewhere") == "/elsewhere"
