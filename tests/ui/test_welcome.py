"""The first screen of somebody without profiles."""

from pathlib import Path

import pytest
from textual.app import App

from cloudstore_tui.ui.screens.welcome import StartChoice, WelcomeScreen


@pytest.mark.parametrize(
    ("keys", "way"),
    [
        (("enter",), StartChoice.DEMO),
        (("down", "enter"), StartChoice.ADD),
        (("down", "down", "enter"), StartChoice.GUIDE),
        (("1",), StartChoice.DEMO),
        (("2",), StartChoice.ADD),
        (("3",), StartChoice.GUIDE),
    ],
)
async def test_three_ways_lead_on(keys: tuple[str, ...], way: StartChoice) -> None:
    app: App[None] = App()
    answers: list[StartChoice | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(WelcomeScreen(Path("/home/x/config.toml")), answers.append)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
    assert answers == [way]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_all_ways_are_on_the_screen_and_escape_is_none(size: tuple[int, int]) -> None:
    app: App[None] = App()
    answers: list[StartChoice | None] = []
    async with app.run_test(size=size) as pilot:
        app.push_screen(WelcomeScreen(Path("/home/x/config.toml")), answers.append)
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        text = "\n".join("".join(segment.text for segment in strip) for strip in strips)
        for words in ("1  Try it out", "2  Add a profile", "3  How to get keys"):
            assert words in text, text
        await pilot.press("escape")
        await pilot.pause()
    assert answers == []
