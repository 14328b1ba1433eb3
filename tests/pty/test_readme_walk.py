"""What the README and docs/browser.md say of the browser, key by key, in the demo."""

import re
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
ENTER, ESCAPE, UP, DOWN = "\r", "\x1b", "\x1b[A", "\x1b[B"
PAGE_UP, PAGE_DOWN, BACKSPACE, DELETE, TAB = "\x1b[5~", "\x1b[6~", "\x7f", "\x1b[3~", "\t"
GO_TO, PALETTE, LOAD_ALL, RECALL, SAVE = "\x07", "\x10", "\x05", "\x12", "\x13"
SIZES = [(120, 40), (80, 24)]
PLACE = "acme8:us-east/callcenterrecording/"
REPORTING = r"exports › reporting(?s:.*)row \d+ of 3\b"
PHRASE = 'agent:"Khang Glynn" on:2024-09-01 dur:>10m'


@pytest.fixture(scope="module", params=SIZES, ids=["120x40", "80x24"])
def demo(request: pytest.FixtureRequest, terminals: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """The demo in a terminal, once for each size, a pager that says that it is there, sound that nobody hears."""
    pager = tmp_path_factory.mktemp("pager") / "pager"
    pager.write_text("#!/bin/sh\necho a program shows it\nread answer\n")
    pager.chmod(0o700)
    shown = terminals("demo", size=request.param, PAGER=str(pager), CLOUDSTORE_SOUND="null")
    shown.wait_for("Where to")
    return shown


def close(shown: Any, gone: str) -> None:
    """Esc, until what it closes is gone."""
    shown.press(ESCAPE)
    shown.wait_until(lambda: not re.search(gone, shown.text), f"the end of {gone}")


def home(shown: Any) -> None:
    """Back to the list, with nothing open, marked or filtered: a path that is typed ahead needs it."""
    end = monotonic() + PATIENCE
    while monotonic() < end:
        shown.press(ESCAPE)
        shown.settle(0.3)
        if re.search(r"f Search|/ Filter|Where to\?", shown.text) and not re.search(r"\d marked|with “", shown.text):
            return
    raise AssertionError(f"the list does not come back:\n{shown.text}")


def go(shown: Any, address: str, there: str) -> None:
    """To a place, by another one where what is waited for is there already: the next key is for rows that are read."""
    if re.search(there, shown.text):
        shown.press(GO_TO, "acme-v2:", ENTER)
        shown.wait_until(lambda: not re.search(there, shown.text), "another place")
    shown.press(GO_TO, address, ENTER)
    shown.wait_for(there)


def test_the_first_two_minutes(demo: Any) -> None:
    assert f"type `{PLACE}`" in README
    assert f"type `{PHRASE}`" in README
    demo.press("?")
    demo.wait_for("[kK]eys that work here")
    close(demo, "[kK]eys that work here")
    demo.press(PALETTE)
    demo.wait_for("─ Everything you can do here ─")
    close(demo, "─ Everything you can do here ─")
    go(demo, PLACE, "100 loaded")
    demo.press("f", PHRASE)
    demo.wait_for("Khang Glynn.*[dD]ur|dur:>10m")
    demo.press(ENTER)
    demo.wait_for("1 match")
    demo.wait_for("09:16")
    demo.press("p")
    demo.wait_for("MPEG-2 layer III")
    demo.wait_for("21:11")
    close(demo, "MPEG-2 layer III")
    demo.press(".")
    demo.wait_for("10 files · 13.1 MB")
    demo.press("d")
    demo.wait_for("✓ 10 files")
    demo.press("t")
    demo.wait_for("✓ (one call, 10|10) files")
    close(demo, "^ Transfers")
    demo.press("!")
    demo.wait_for("token")
    home(demo)
    demo.wait_for("1 match")


def moves(shown: Any) -> None:
    go(shown, "acme:exports/reporting/outreach/", r"outreach-\d{8}\.tar")
    shown.press(DOWN, "j", UP, "k", "G", "g", PAGE_DOWN, PAGE_UP, "h")
    shown.press("2", BACKSPACE)
    shown.wait_for("exports › reporting")
    shown.press("l")
    shown.press(BACKSPACE)
    shown.wait_for(r"outreach/")


def goes(shown: Any) -> None:
    go(shown, "acme:exports/reporting/", REPORTING)
    shown.press(GO_TO, "acme:exports/rep", TAB)
    shown.wait_for("acme:exports/reporting/")
    close(shown, "Tab completes")
    shown.press("m")
    shown.wait_for("Bookmark")
    shown.press(ENTER)
    shown.wait_for("Bookmarked as")
    go(shown, PLACE, "100 loaded")
    shown.press("'")
    shown.wait_for("Bookmarks")
    shown.press(ENTER)
    shown.wait_for(REPORTING)


def goes_home(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("~")
    shown.wait_for("Where to")
    shown.press(ESCAPE)
    shown.wait_for("100 loaded")
    shown.press("\\")
    shown.wait_for(r"^ acme8  ")
    shown.wait_for(r"us-east/?\s(?s:.*)uk/?\s")


def goes_back(shown: Any) -> None:
    go(shown, "acme:exports/reporting/", REPORTING)
    go(shown, PLACE, "100 loaded")
    shown.press("H")
    shown.wait_for(REPORTING)
    shown.press("L")
    shown.wait_for("100 loaded")
    shown.press("R")
    shown.wait_for("all regions")
    shown.press("uk", ENTER)
    shown.wait_for("acme8 › uk")
    shown.press("P")
    shown.wait_for("Add a profile")


def marks(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press(" ")
    shown.wait_for("1 marked")
    shown.press("v", "j", "j", "v")
    shown.wait_for("4 marked")
    shown.press("*")
    shown.wait_for("96 marked")
    shown.press("a")
    shown.wait_for("100 marked")
    shown.press("A")
    shown.wait_for(r"Marked all [\d,]+ matches")


def filters(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("/", "khang", ENTER)
    shown.wait_for("with “khang”")
    close(shown, "with “khang”")
    shown.press("o")
    shown.wait_for("Sort")
    home(shown)
    shown.press("c")
    shown.wait_for("Columns")
    home(shown)
    shown.press("f")
    shown.wait_for("→ Call recordings; for example agent:")


def types(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("f", "dur:>20m", ENTER)
    shown.wait_for(r"row \d+ of|no rows")
    shown.press("f", SAVE)
    shown.wait_for("Save this search")
    shown.press("long", ENTER)
    shown.wait_for("Saved as @long")
    home(shown)
    shown.press("f", RECALL)
    shown.wait_for("dur:>20m")


def counts(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("b")
    shown.wait_for("Rows by")
    close(shown, "Rows by")
    shown.press("#")
    shown.wait_for(r"objects? match")


def looks(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("p")
    shown.wait_for("MPEG")
    close(shown, "MPEG")
    shown.press("e")
    shown.wait_for(r"▶ 0:\d\d / ")
    close(shown, r"▶ 0:\d\d / ")
    go(shown, "acme8:us-east/transcription/", r"› Transcripts  (?s:.*)row \d+ of")
    shown.press("e")
    shown.wait_for("a program shows it")
    shown.press(ENTER)
    shown.wait_for(r"row \d+ of")
    shown.press("I")
    shown.wait_for(r"\b0:00 +\w+ +\w+ \w+")


def hears(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("f", PHRASE, ENTER)
    shown.wait_for("1 match")
    shown.press("e")
    shown.wait_for(r"› +0:00  agent +Good morning")
    shown.press("e")
    shown.wait_for(r"‖ 0:\d\d / 21:11")
    # Held: what plays goes on while a busy machine looks.
    shown.press("]", "]", "]")
    shown.wait_for(r"‖ 0:[345]\d / 21:11")
    shown.press("[", "s")
    shown.wait_for(r"‖ 0:[234]\d / 21:11 +1\.25×")
    shown.press("e", "j", ENTER)
    shown.wait_for(r"▶ 5:[12]\d / 21:11")


def downloads(shown: Any) -> None:
    go(shown, "acme8:us-east/transcription/", r"› Transcripts  (?s:.*)row \d+ of")
    shown.press("d")
    shown.wait_for("✓ .*→|↓ ")
    shown.press("D")
    shown.wait_for("Download 1|[Ff]older")


def whole_call(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("f", PHRASE, ENTER)
    shown.wait_for("1 match")
    shown.press(".")
    shown.wait_for("10 (objects|files)")


def zips(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("z")
    shown.wait_for("packing|[✓↓] ")
    shown.press("J")
    shown.wait_for("[Zz]ip jobs")


def restores(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("B")
    shown.wait_for("Not archived")
    shown.press("Q")
    shown.wait_for("Restores")


def transfers(shown: Any) -> None:
    shown.press("t")
    shown.wait_for("Transfers")
    home(shown)
    shown.press("3")


def links(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("y")
    shown.wait_for("Anyone|anyone")
    close(shown, "Anyone|anyone")
    shown.press("Y")
    shown.wait_for("curl command")


def changes(shown: Any) -> None:
    go(shown, "acme:imports/outreach/", r"imports › outreach(?s:.*)row \d+ of 3\b")
    shown.press("u")
    shown.wait_for("Upload to")
    home(shown)
    go(shown, "acme:exports/reporting/outreach/", r"outreach-\d{8}\.tar")
    shown.press(DELETE)
    shown.wait_for("Delete")


def reads(shown: Any) -> None:
    go(shown, "acme8:uk/", r"acme8 › uk  (?s:.*)row \d+ of")
    shown.press("r")
    shown.wait_for(r"row \d+ of")
    shown.press(LOAD_ALL)
    shown.wait_for(r"row \d+ of [\d,]+(?![\d,]| loaded)")


def shows(shown: Any) -> None:
    go(shown, PLACE, "100 loaded")
    shown.press("Z", "i", "i", "i", "M")
    shown.wait_for("masked|MASKED")
    shown.press("M")
    shown.wait_until(lambda: "masked" not in shown.text.split("\n")[0].lower(), "the names")


def helps(shown: Any) -> None:
    shown.press("?")
    shown.wait_for("[kK]eys that work here")
    close(shown, "[kK]eys that work here")
    shown.press(PALETTE)
    shown.wait_for("─ Everything you can do here ─")
    close(shown, "─ Everything you can do here ─")
    shown.press("!")
    shown.wait_for("token")


ROWS = [
    moves, goes, goes_home, goes_back, marks, filters, types, counts, looks, hears, downloads,
    whole_call, zips, restores, transfers, links, changes, reads, shows, helps,
]  # fmt: skip
"""One for each line of the table of keys in docs/browser.md, in its order."""


def test_every_line_of_the_table_is_walked() -> None:
    page = (ROOT / "docs" / "browser.md").read_text(encoding="utf-8")
    table = page.partition("| keys | what they do |")[2].partition("\n\n")[0]
    assert len(re.findall(r"^\| (?!---|\|)", table, re.M)) == len(ROWS)


@pytest.mark.parametrize("walk", ROWS, ids=lambda walk: walk.__name__)
def test_the_keys_of_the_table_do_what_it_says(demo: Any, walk: Callable[[Any], None]) -> None:
    home(demo)
    walk(demo)
    home(demo)
    assert demo.child.isalive()
    assert "Traceback" not in demo.text
    assert "Internal error" not in demo.text
