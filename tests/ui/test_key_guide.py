"""How to get keys, to read."""

import pytest
from textual.app import App

from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.ui.screens.setup import KeyGuideScreen
from tests.support.screen import text_of

GUIDES = {spec.name: spec.guide for spec in PROVIDERS}


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_each_service_has_its_text_and_all_of_it_can_be_reached(size: tuple[int, int]) -> None:
    app: App[None] = App()
    async with app.run_test(size=size) as pilot:
        app.push_screen(KeyGuideScreen(GUIDES))
        await pilot.pause()
        assert "Alvaria gives out the keys itself" in text_of(app)
        await pilot.press("right")
        await pilot.pause()
        assert "Admin" in text_of(app)
        await pilot.press("G")
        await pilot.pause()
        assert "All addresses begin with" in text_of(app)
        await pilot.press("g")
        await pilot.pause()
        assert "8x8 Cloud Storage Service" in text_of(app)
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, KeyGuideScreen)


async def test_steps_are_set_below_their_number() -> None:
    app: App[None] = App()
    async with app.run_test(size=(60, 24)) as pilot:
        app.push_screen(KeyGuideScreen({"x": f"Title\n\n1. {'word ' * 20}\n* {'point ' * 20}"}))
        await pilot.pause()
        lines = text_of(app).splitlines()
    assert any(line.startswith("    word") for line in lines)
    assert any(line.startswith("   point") for line in lines)
