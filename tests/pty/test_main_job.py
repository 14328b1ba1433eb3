"""The main job, from the first start to the last key, on the plainest terminal there is."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

COLOUR = re.compile(rb"\x1b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[\d;]*)?m")
MOUSE = re.compile(rb"\x1b\[\?10(?:00|02|03|06|15|16)h")
ENTER, ESCAPE = "\r", "\x1b"


def test_the_main_job_at_80_by_24_on_the_console_without_colour_or_mouse(
    terminal: Callable[..., Any], tmp_path: Path
) -> None:
    shown = terminal("demo", "--no-mouse", TERM="linux", NO_COLOR="1")
    shown.wait_for(r"1  acme8\b.*\n.*2  acme\b.*\n.*3  acme-v2")
    shown.press("2")
    shown.wait_for(r"exports/?")
    shown.press("\x07")
    shown.press("acme:exports/reporting/outreach/", ENTER)
    shown.wait_for(r"acme › exports › reporting › outreach")
    shown.wait_for(r"outreach-\d{8}\.tar")
    names = re.findall(r"outreach-\d{8}\.tar", shown.text)[:2]
    shown.press(" ", " ")
    shown.wait_for(r"2 marked")
    assert all(re.search(rf"● {name}", shown.text) for name in names)
    shown.press("d")
    shown.wait_for(r"✓ 2 files, 542\.7 kB, size checked → ~/cloudstore-demo")
    shown.press("t")
    shown.wait_for(r"✓ 2 files → ~/cloudstore-demo +542\.7 kB · size checked")
    shown.press("l")
    shown.wait_for(rf"✓ {names[0]} .* size checked .*\n +✓ {names[1]} .* size checked ")
    shown.press(ESCAPE)
    shown.wait_for(r"Name ▲")
    shown.press("p")
    shown.wait_for(r"tar archive")
    shown.wait_for(r"call_results\.csv")
    shown.press(ESCAPE)
    shown.wait_for(r"Name ▲")
    shown.press("q")
    assert shown.end() == 0

    assert sorted(path.name for path in (tmp_path / "cloudstore-demo").iterdir()) == sorted(names)
    assert not COLOUR.search(shown.sent)
    assert b"\x1b[0;7" in shown.sent or b"\x1b[7" in shown.sent, "the cursor is not to be seen"
    assert not MOUSE.search(shown.sent)
    shown.check_restored()


def test_a_recording_with_its_transcript_is_found_looked_into_heard_and_fetched(
    terminal: Callable[..., Any], tmp_path: Path
) -> None:
    shown = terminal("demo", "--no-mouse", size=(120, 40), CLOUDSTORE_SOUND="null")
    shown.wait_for(r"acme8")
    shown.press("\x07")
    shown.press("acme8:us-east/callcenterrecording/", ENTER)
    shown.wait_for(r"\d\d:\d\d.*Khang Glynn|Agent")
    shown.press("f", 'agent:"Khang Glynn" on:2024-09-01 dur:>10m', ENTER)
    shown.wait_for(r"row 1 of 1 ")
    assert re.search(r" 21:11 +3.8 MB", shown.text)
    shown.press(".")
    shown.wait_for(r"Call of Khang Glynn, 1 Sep 2024 08:55 +10 files · 13.1 MB · all available")
    shown.wait_for(r"0:00  agent +Good morning")
    shown.press("e")
    shown.wait_for(r"▶ 0:\d\d / 21:11")
    shown.wait_for(r"› +0:00  agent +Good morning")
    shown.press("]", "]")
    shown.wait_for(r"▶ 0:[2-5]\d / 21:11")
    shown.press("q")
    shown.wait_for(r"d fetches all 10")
    shown.press("d")
    shown.wait_for(r"✓ 10 files")
    shown.press(ESCAPE, "q")
    assert shown.end() == 0

    (folder,) = (tmp_path / "cloudstore-demo").iterdir()
    assert folder.name == "2024-09-01 08-55 Khang Glynn"
    assert {"recording.mp3", "transcript.json", "screen.mp4"} <= {path.name for path in folder.iterdir()}
    shown.check_restored()
