"""What holds on every screen and in every dialog: Esc never quits, and whoever types a letter types a letter."""

import string
from typing import Any

from textual.screen import ModalScreen
from textual.widgets import Input

from cloudstore_tui.ui.dialogs.dialog import QuestionDialog

STAYS = frozenset({"WelcomeScreen"})
"""There is nothing behind it to go back to."""
TYPED = "qdXyYnjkgGtMZ?:/.a1"
"""Keys that do something elsewhere, some of them something bad."""


def test_every_screen_and_dialog_is_walked(unknown: list[str]) -> None:
    assert unknown == []


async def test_no_key_does_harm(shown: Any, surface: str) -> None:
    async with shown(surface) as it:
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
        assert not it.app._exit
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
    await it.pilot.press(*typed)
    await it.settle()
    assert it.app.screen is screen
    assert screen.focused is field
    assert field.value == typed
