"""Every screen and dialog there is: it can be read in every theme, it fits in every terminal, and no key does harm."""

import string
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input

from cloudstore_tui.config.themes import load_themes
from cloudstore_tui.ui.dialogs.dialog import QuestionDialog
from cloudstore_tui.ui.report import notify_plain
from tests.support.contrast import LINES, TEXT, contrast, least
from tests.support.screen import strips_of

THEMES = tuple(sorted(name for name, theme in load_themes().loaded.items() if not theme.ansi))
"""Those whose colours are known; what the sixteen colours look like is up to the terminal."""
SIZES = ((200, 60), (120, 40), (80, 24), (60, 15))
STAYS = frozenset({"WelcomeScreen"})
"""There is nothing behind it to go back to."""
TYPED = "qdXyYnjkgGtMZ?:/.a1"
"""Keys that do something elsewhere, some of them something bad."""


def test_every_screen_and_dialog_is_walked(unknown: list[str]) -> None:
    assert unknown == []


async def test_it_can_be_read_fits_and_takes_no_harm_from_any_key(shown: Any, surface: str) -> None:
    async with shown(surface, size=(100, 30)) as it:
        await check_contrast(it)
        for size in (*SIZES, (20, 5), SIZES[2]):
            await it.pilot.resize_terminal(*size)
            await it.settle()
            assert type(it.app.screen).__name__ == surface
            check_layout(it, size)
        await it.pilot.resize_terminal(180, 30)
        await check_keys(it, surface)


# Themes


async def check_contrast(it: Any) -> None:
    for theme in THEMES:
        it.app.themes.use(theme)
        await it.pilot.pause()
        assert weak(it.app) == set(), theme


def weak(app: Any) -> set[tuple[str, str, float]]:
    """What stands out too little: its text, its style and the ratio."""
    return {
        (segment.text.strip()[:30], str(segment.style), round(ratio, 2))
        for strip in strips_of(app)
        for segment in strip
        if (ratio := contrast(segment)) < least(segment.text)
    }


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
        await check_contrast(it)


def test_the_measure_knows_text_that_cannot_be_read() -> None:
    assert contrast(Segment("x", Style.parse("#999999 on #ffffff"))) < TEXT
    assert contrast(Segment("x", Style.parse("#000000 on #ffffff"))) > 20
    assert least("───") == LINES
    assert least("─ a") == TEXT


# Sizes


def check_layout(it: Any, size: tuple[int, int]) -> None:
    """Nothing that matters is cut off."""
    screen = it.app.screen
    assert [len(line) for line in it.lines if len(line) > size[0]] == []
    if size in SIZES:
        buttons = [button for button in screen.query(Button) if is_shown(button)]
        assert [button for button in buttons if not screen.region.contains_region(button.region)] == [], size
        # A list may be longer than the screen, and scroll.
        assert not screen.focused or screen.region.intersection(screen.focused.region).area > 0, size


def is_shown(widget: Widget) -> bool:
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


async def test_panes_are_shown_as_long_as_each_has_room(shown: Any) -> None:
    async with shown("BrowserScreen", size=(200, 60)) as it:
        for size, panes in (
            ((200, 60), {"places", "entries", "detail"}),
            ((120, 40), {"places", "entries", "detail"}),
            ((80, 24), {"entries", "detail"}),
            ((60, 15), {"entries"}),
            ((20, 5), {"entries"}),
        ):
            await it.pilot.resize_terminal(*size)
            await it.settle()
            there = {name for name in ("places", "entries", "detail") if it.screen.query_one(f"#{name}").region.area}
            assert there == panes
            assert it.screen.entries.table.page_height >= min(5, size[1] - 4)


# Keys


async def check_keys(it: Any, surface: str) -> None:
    """Esc never quits, and whoever types a letter types a letter."""
    screen = it.app.screen
    assert outside(screen) == []
    for key in ("", "tab", "tab", "tab", "shift+tab"):
        await it.press(*([key] if key else []))
        assert it.app.screen is screen
        # A text that only scrolls needs no focus.
        assert screen.focused.region.area > 0 if screen.focused else screen.focus_chain == []
    for field in screen.query(Input):
        await types_letters(it, field)
    await it.press(*["escape"] * 5)
    if isinstance(it.app.screen, QuestionDialog):
        await it.press("y")
    assert it.app.return_code is None
    assert it.app.screen is (screen if surface in STAYS else it.screen)


def outside(screen: Any) -> list[str]:
    """Keys that reach past a dialog to what is below it, without those of the whole program."""
    if not isinstance(screen, ModalScreen):
        return []
    return [
        key
        for key, active in screen.active_bindings.items()
        if screen not in active.node.ancestors_with_self and not key.startswith("ctrl+")
    ]


async def types_letters(it: Any, field: Input) -> None:
    """Each key is a letter of the text and nothing else."""
    field.focus()
    await it.settle()
    if it.app.screen.focused is not field:
        return
    field.value = ""
    typed = TYPED[: field.max_length or len(string.printable)]
    screen = it.app.screen
    await it.burst(typed)
    assert it.app.screen is screen
    assert screen.focused is field
    assert field.value == typed
