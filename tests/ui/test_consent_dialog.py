"""A question with its reasons."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.dialog import MAX_LINES, ConsentDialog


@pytest.mark.parametrize(("key", "answer"), [("y", True), ("n", False), ("escape", False), ("enter", False)])
async def test_each_key_answers_and_the_focus_is_on_no(browser: Any, key: str, answer: bool) -> None:
    answers: list[bool | None] = []
    async with browser() as it:
        it.app.push_screen(ConsentDialog("Replace?", ["[red]a[/b]\x1b.txt"], yes="Replace"), answers.append)
        await it.until(lambda: "[red]a[/b]␛.txt" in it.text)
        await it.press(key)
        assert answers == [answer]


async def test_many_reasons_are_counted(browser: Any) -> None:
    async with browser(size=(60, 15)) as it:
        it.app.push_screen(ConsentDialog("Replace?", [f"file-{number}" for number in range(50)], yes="Replace"))
        await it.until(lambda: f"and {50 - MAX_LINES} more" in it.text)
        assert "y Replace" in it.text
