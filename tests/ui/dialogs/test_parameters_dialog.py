"""Values for the placeholders of a saved search."""

from typing import Any

import pytest

from cloudstore_tui.ui.dialogs.picking import ParametersDialog

FIQL = "agentName==?who;queueName==?queue,agentName==?who"


async def test_each_hole_is_asked_for_once_and_enter_goes_to_what_is_empty(opened: Any) -> None:
    async with opened(ParametersDialog(FIQL, "@mine")) as it:
        assert "Search @mine" in it.text
        assert it.focus == "placeholder-who"
        await it.press("enter")
        assert it.focus == "placeholder-who"
        await it.press(*"Lee", "enter")
        assert it.focus == "placeholder-queue"
        assert "agentName==Lee;queueName==?queue,agentName==Lee" in it.text
        await it.press(*"L3", "enter")
        assert it.answers == ["agentName==Lee;queueName==L3,agentName==Lee"]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("queueName==?queue", r"""queueName=='L\',x==1;(y==2) "3"'"""),
        ("queue:?queue since:yesterday", 'queue:"L\',x==1;(y==2) \\"3\\"" since:yesterday'),
    ],
)
async def test_a_value_never_becomes_a_term(opened: Any, text: str, filled: str) -> None:
    async with opened(ParametersDialog(text)) as it:
        await it.paste("""L',x==1;(y==2) "3"\n""")
        it.wait(0.4)
        await it.press("enter")
        assert it.answers == [filled]


async def test_what_follows_a_paste_at_once_is_no_answer(opened: Any) -> None:
    async with opened(ParametersDialog("a==?b")) as it:
        await it.paste("x")
        await it.press("enter")
        assert it.answers == []


async def test_escape_answers_nothing(opened: Any) -> None:
    async with opened(ParametersDialog("a==?b")) as it:
        await it.press("x", "escape")
        assert it.answers == [None]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_many_holes_and_a_hostile_search_fit(opened: Any, size: tuple[int, int]) -> None:
    text = "name==[/x]\x1b[1m;" + ";".join(f"a{number}==?placeholder-{number}" for number in range(5))
    async with opened(ParametersDialog(text), size) as it:
        assert "\x1b" not in it.text
        assert it.fits()
        for number in range(4):
            await it.press("x", "enter")
            assert it.focus == f"placeholder-placeholder-{number + 1}"
        assert it.fits()
