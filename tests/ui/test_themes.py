"""Themes as the user meets them: picked in the palette, kept, and none of their colours where NO_COLOR is set."""

from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.ui.palette import CommandDialog, ThemeDialog, commands_of
from tests.support.screen import strips_of


async def themes(it: Any) -> None:
    """Open the list of themes."""
    await it.press("ctrl+p")
    assert isinstance(it.app.screen, CommandDialog)
    await it.type("themes")
    await it.press("enter")
    await it.until(lambda: isinstance(it.app.screen, ThemeDialog))


async def test_the_palette_offers_our_themes_and_each_shows_while_the_cursor_is_on_it(browser: Any) -> None:
    async with browser() as it:
        await themes(it)
        names = it.app.themes.names
        assert "nord" in names
        assert "dracula" not in names
        assert all(name in it.text for name in names)
        at = names.index("cloudstore-dark")
        await it.press("down")
        await it.until(lambda: it.app.theme == names[at + 1])
        await it.press("escape")
        await it.until(lambda: it.app.theme == "cloudstore-dark")


async def test_a_theme_is_picked_by_typing_its_name_and_is_there_next_time(browser: Any) -> None:
    async with browser() as it:
        await themes(it)
        await it.type("gruvbox")
        await it.press("enter")
        await it.until(lambda: it.app.theme == "gruvbox")
    async with browser() as it:
        assert it.app.theme == "gruvbox"
    async with browser(theme="nord") as it:
        assert it.app.theme == "nord"


async def test_a_theme_can_be_picked_where_the_one_that_is_asked_for_is_gone(browser: Any) -> None:
    async with browser(theme="gone") as it:
        before = it.app.theme
        await themes(it)
        await it.until(lambda: it.app.theme == it.app.themes.names[0])
        await it.press("escape")
        await it.until(lambda: it.app.theme == before)


async def test_a_demo_keeps_no_theme(browser: Any) -> None:
    async with browser(behind={"keeps": False}) as it:
        it.app.themes.pick("nord")
    async with browser() as it:
        assert it.app.theme == "cloudstore-dark"


async def test_a_theme_of_the_user_is_offered_and_a_broken_one_is_shown_with_its_line(
    browser: Any, tmp_path: Path
) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text('name = "mine"\nprimary = "#005f87"\n')
    (tmp_path / "themes" / "bad.toml").write_text('name = "bad"\nprimary = "blueish"\n')
    async with browser() as it:
        assert "mine" in it.app.themes.names
        assert it.notices[0].startswith(f"{tmp_path / 'themes' / 'bad.toml'}:2: primary must be a colour.")


@pytest.mark.parametrize("keys", [(), ("question_mark",), ("o",), ("space", "f"), ("t",)])
async def test_no_color_sends_no_colour_and_the_cursor_is_seen_all_the_same(
    browser: Any, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with browser(start="acme8:us-east/", theme="nord") as it:
        assert it.app.theme == "monochrome"
        assert "Themes …" not in [command.title for command in commands_of(it.app, it.app.screen)]
        cursor = it.screen.entries.table.get_component_rich_style("cursor-list--cursor")
        assert cursor.reverse
        await it.press(*keys)
        styles = [segment.style for strip in strips_of(it.app) for segment in strip]
        coloured = [style for style in styles if style and not (_is_plain(style.color) and _is_plain(style.bgcolor))]
        assert coloured == []


def _is_plain(colour: Any) -> bool:
    return colour is None or colour.is_default
