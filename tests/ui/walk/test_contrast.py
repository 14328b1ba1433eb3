"""Whatever is on the screen can be read, in every theme of the program: measured on what is drawn."""

from collections.abc import Iterator
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style

from cloudstore_tui.config.themes import load_themes
from cloudstore_tui.ui.report import notify_plain

THEMES = tuple(sorted(name for name, theme in load_themes().loaded.items() if not theme.ansi))
"""Those whose colours are known; what the sixteen colours look like is up to the terminal."""
TEXT, LINES = 4.5, 1.0
"""Least ratios of WCAG 2 for text; frames and bars only part what is read, and are measured with the themes."""
_DRAWN = {*map(chr, range(0x2500, 0x25A0)), "…"}


async def test_everything_drawn_can_be_read(shown: Any, surface: str) -> None:
    async with shown(surface, size=(100, 30)) as it:
        for theme in THEMES:
            it.app.theme = theme
            await it.pilot.pause()
            assert weak(it.app.screen) == set(), theme


@pytest.mark.parametrize(
    "keys",
    [
        ("f", *"agentName=="),
        ("f", *"agent 5 is (((", "enter"),
        ("slash", *"Agent 3", "enter"),
        ("ctrl+p", *"down"),
        ("v", "j", "j"),
        ("d", "2"),
        ("1", "j"),
        ("u",),
        ("i", "tab"),
    ],
    ids=" ".join,
)
async def test_what_comes_and_goes_in_the_browser_can_be_read(shown: Any, keys: tuple[str, ...]) -> None:
    async with shown("BrowserScreen", size=(100, 30)) as it:
        for severity in ("information", "warning", "error"):
            notify_plain(it.screen, f"Something of the kind {severity}.", severity)
        await it.press(*keys)
        for theme in THEMES:
            it.app.theme = theme
            await it.pilot.pause()
            assert weak(it.app.screen) == set(), theme


def weak(screen: Any) -> set[tuple[str, str, float]]:
    """What stands out too little: its text, its style and the ratio."""
    return {
        (segment.text.strip()[:30], str(segment.style), round(ratio, 2))
        for strip in screen._compositor.render_strips()
        for segment in strip
        if (ratio := contrast(segment)) < least(segment.text)
    }


def least(text: str) -> float:
    return LINES if set(text.strip()) <= _DRAWN else TEXT


def contrast(segment: Segment) -> float:
    """How much the characters of a segment stand out; infinite for blanks."""
    style = segment.style
    if style is None or style.color is None or style.bgcolor is None or not segment.text.strip():
        return float("inf")
    assert not style.dim, segment
    bright, dim = sorted(map(luminance, (style.color, style.bgcolor)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(colour: Any) -> float:
    """The relative luminance of WCAG 2."""
    red, green, blue = _linear(colour.get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(triplet: Any) -> Iterator[float]:
    for part in triplet.normalized:
        yield part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def test_the_measure_knows_text_that_cannot_be_read() -> None:
    assert contrast(Segment("x", Style.parse("#999999 on #ffffff"))) < TEXT
    assert contrast(Segment("x", Style.parse("#000000 on #ffffff"))) > 20
    assert least("───") == LINES
    assert least("─ a") == TEXT
