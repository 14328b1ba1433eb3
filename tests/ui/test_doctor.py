"""What `doctor` finds, on the screen."""

from collections.abc import AsyncIterator

import pytest
from textual.app import App

from cloudstore_tui.doctor import CheckResult, CheckStatus
from cloudstore_tui.ui.screens.setup import DoctorScreen
from tests.support.screen import text_of

FOUND = (
    CheckResult("", "configuration", CheckStatus.OK, "one profile"),
    CheckResult("acme8", "token", CheckStatus.FAIL, "refused by \x1b[2J", "Check client_id.", 3),
    CheckResult("acme8", "the rest", CheckStatus.SKIP, "not checked: token comes first"),
    CheckResult("", "encoding", CheckStatus.WARN, "not UTF-8", "Set LANG."),
)


class Examined:
    def __init__(self) -> None:
        self.times = 0
        self.results: tuple[CheckResult, ...] = FOUND

    async def __call__(self) -> AsyncIterator[CheckResult]:
        self.times += 1
        for result in self.results:
            yield result


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_each_finding_stands_with_its_cure(size: tuple[int, int]) -> None:
    app: App[None] = App()
    async with app.run_test(size=size) as pilot:
        app.push_screen(DoctorScreen(Examined()))
        await pilot.pause()
        await pilot.pause()
        shown = text_of(app)
    assert "1 wrong, 1 to look at" in shown
    assert "FAIL  acme8 token" in shown
    assert "→ Check client_id." in shown
    assert "\x1b" not in shown
    assert "skip  acme8 the rest" in shown


async def test_what_is_wrong_stands_first_and_long_texts_go_on_below_their_beginning() -> None:
    examined = Examined()
    examined.results = (CheckResult("", "configuration", CheckStatus.OK, "/a/long/path " * 6), *FOUND[1:])
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(DoctorScreen(examined))
        await pilot.pause()
        await pilot.pause()
        lines = [line.rstrip() for line in text_of(app).splitlines()[2:]]
    assert [line[1:5].strip() for line in lines if line[1:5].strip()][:4] == ["FAIL", "warn", "ok", "skip"]
    at = next(number for number, line in enumerate(lines) if "configuration" in line)
    assert lines[at + 1].index("/a/long/path") == lines[at].index("/a/long/path") == 31


async def test_r_looks_again_and_escape_goes_back() -> None:
    examined = Examined()
    app: App[None] = App()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(DoctorScreen(examined))
        await pilot.pause()
        examined.results = FOUND[:1]
        await pilot.press("r")
        await pilot.pause()
        assert "nothing wrong" in text_of(app)
        assert examined.times == 2
        await pilot.press("escape")
        await pilot.pause()
        assert not isinstance(app.screen, DoctorScreen)
