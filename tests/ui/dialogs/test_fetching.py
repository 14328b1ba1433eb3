"""What is asked before something is fetched, and what is done with zip jobs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.transfers.model import OnConflict
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog, FetchDialog, JobOrder, JobVerb, ZipJobsDialog
from cloudstore_tui.ui.downloads import Conflict, FetchAnswer, FetchOffer, Side

OFFER = FetchOffer(
    "20,247 call recordings", "17.0 GB", Path("/calls"), 9000, 80_800_000_000, zips=41, in_zip=500, zip_seconds=2280,
    prefers_zip=True, coming=500,
)  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), FetchAnswer.ZIP),
        (("o",), FetchAnswer.DIRECT),
        (("D",), FetchAnswer.ELSEWHERE),
        (("escape",), None),
        (("q",), None),
    ],
)
async def test_keys_say_how_to_fetch(opened: Any, keys: tuple[str, ...], answer: FetchAnswer | None) -> None:
    async with opened(FetchDialog(OFFER)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
async def test_it_says_how_much_how_long_where_to_and_what_is_left_out(opened: Any, size: tuple[int, int]) -> None:
    async with opened(FetchDialog(OFFER), size) as it:
        assert "Fetch 20,247 call recordings as zips?" in it.text
        assert "17.0 GB in 41 zip jobs of 500, about 38 min." in it.text
        assert "Into      /calls   D changes it" in it.text
        assert "Disk      80.8 GB free" in it.text
        assert "Already being fetched: 500 of them. They are left out." in it.text
        assert "Start 41 zips" in it.text
        assert it.fits()


async def test_a_disk_that_is_too_full_is_shown_before(opened: Any) -> None:
    async with opened(FetchDialog(replace(OFFER, free=31_500_000, needed=17_000_000_000))) as it:
        assert "Disk      31.5 MB free, which is not enough" in it.text


async def test_without_zips_there_is_one_way(opened: Any) -> None:
    async with opened(FetchDialog(replace(OFFER, zips=0, prefers_zip=False, seconds=40.0))) as it:
        assert "17.0 GB, about 40 s." in it.text
        assert "zip" not in it.text
        await it.press("o", "z")
        assert it.answers == []
        await it.press("enter")
        assert it.answers == [FetchAnswer.DIRECT]


async def test_nothing_starts_at_the_end_of_a_paste(opened: Any) -> None:
    async with opened(FetchDialog(OFFER)) as it:
        await it.paste("z")
        it.dialog.action_start()
        await it.pilot.pause()
        assert it.answers == []


MD5 = "279f59fda113af25b01ec0ffee000000"
THERE = Side(3_813_176, when=datetime(2024, 11, 29, 14, 12, tzinfo=UTC), md5=MD5)
NEW = Side(3_813_177, when=datetime(2024, 9, 1, 9, 16, tzinfo=UTC))


def conflicts(*names: str) -> list[Conflict]:
    return [Conflict(name, name, THERE, NEW) for name in names]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("s",), OnConflict.SKIP),
        (("o",), OnConflict.OVERWRITE),
        (("k",), OnConflict.KEEP_BOTH),
        (("enter",), OnConflict.SKIP),
        (("left", "enter"), OnConflict.OVERWRITE),
        (("right", "enter"), None),
        (("escape",), None),
    ],
)
async def test_keys_say_what_becomes_of_what_is_there(
    opened: Any, keys: tuple[str, ...], answer: OnConflict | None
) -> None:
    async with opened(ConflictDialog(conflicts("a.mp3"), "~/calls")) as it:
        await it.press(*keys)
        assert it.answers == [answer]


async def test_both_sides_are_shown_and_whether_they_are_the_same(opened: Any) -> None:
    title = "Recording of Khang Glynn, 1 Sep 2024 09:16"
    same = Conflict("a.mp3", title, THERE, Side(3_813_176, when=NEW.when, md5=MD5), is_same=True)
    async with opened(ConflictDialog([same], "~/calls"), (80, 24)) as it:
        assert "This file is already in ~/calls" in it.text
        assert title in it.text
        words = " ".join(it.text.split())
        assert "There 3,813,176 bytes 29 Nov 2024 md5 279f59fd… the same" in words
        assert "To fetch 3,813,176 bytes 1 Sep 2024 md5 279f59fd…" in words


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_of_many_five_are_shown_literally_and_it_fits(opened: Any, size: tuple[int, int]) -> None:
    names = ["[red]a[/x]\x1b[2J.mp3", *(f"file{number}.mp3" for number in range(1, 8))]
    async with opened(ConflictDialog(conflicts(*names), "~/calls", count=300), size) as it:
        assert "300 files are already in ~/calls" in it.text
        assert "[red]a[/x]" in it.text
        assert "\x1b" not in it.text
        if size[1] > 20:
            assert [f"file{number}.mp3" in it.text for number in range(1, 7)] == [True] * 4 + [False] * 2
            assert "There 3.8 MB, 29 Nov 2024 · to fetch 3.8 MB, 1 Sep 2024" in it.text
            assert "and 295 more" in it.text
        assert it.fits()


async def test_uploads_cannot_keep_both(opened: Any) -> None:
    async with opened(ConflictDialog(conflicts("a.mp3"), "acme:calls/", uploads=True)) as it:
        await it.press("k")
        assert it.answers == []
        assert "Keep both" not in it.text


async def test_overwriting_is_never_the_end_of_a_paste(opened: Any) -> None:
    async with opened(ConflictDialog(conflicts("a.mp3"), "~/calls")) as it:
        await it.paste("o")
        it.dialog.action_overwrite()
        await it.pilot.pause()
        assert it.answers == []


JOBS = (
    ZipJob("acme8", "us-east", "a.zip", "DONE", ("x", "y")),
    ZipJob("acme8", "us-east", "b.zip", "IN_PROGRESS"),
    ZipJob("acme8", "us-east", "c\x1b[31m.zip", "SOMETHING_\x07NEW"),
)


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), JobOrder(JobVerb.FETCH, JOBS[0])),
        (("j", "d"), JobOrder(JobVerb.FETCH, JOBS[1])),
        (("j", "k", "x"), JobOrder(JobVerb.CANCEL, JOBS[0])),
        (("C",), JobOrder(JobVerb.CLEAR, JOBS[0])),
        (("j", "r"), JobOrder(JobVerb.REFRESH, JOBS[1])),
        (("escape",), None),
    ],
)
async def test_keys_order(opened: Any, keys: tuple[str, ...], answer: JobOrder | None) -> None:
    async with opened(ZipJobsDialog("us-east", JOBS)) as it:
        await it.press(*keys)
        assert it.answers == [answer]


@pytest.mark.parametrize("size", [(80, 24), (60, 15)])
async def test_each_job_is_a_line_with_its_status_in_words(opened: Any, size: tuple[int, int]) -> None:
    async with opened(ZipJobsDialog("us-east", JOBS), size) as it:
        assert "Zip jobs on the server, us-east" in it.text
        assert "a.zip  ready  2 objects" in it.text
        assert "b.zip  is being packed" in it.text
        assert "SOMETHING_" in it.text
        assert not set("\x1b\x07") & set(it.text)
        assert it.fits()


async def test_it_begins_where_the_user_was(opened: Any) -> None:
    async with opened(ZipJobsDialog("us-east", JOBS, at="b.zip")) as it:
        await it.press("x")
        assert it.answers == [JobOrder(JobVerb.CANCEL, JOBS[1])]


async def test_without_jobs_only_refreshing_and_closing_do_something(opened: Any) -> None:
    async with opened(ZipJobsDialog("us-east", ())) as it:
        assert "No zip jobs." in it.text
        assert it.text.splitlines()[-1].split() == ["esc", "Close", "r", "Refresh"]
        await it.press("d", "x", "C", "j")
        assert it.answers == []
        await it.press("r")
        assert it.answers == [JobOrder(JobVerb.REFRESH)]


async def test_a_key_right_after_a_paste_does_not_count(opened: Any) -> None:
    async with opened(ZipJobsDialog("us-east", JOBS)) as it:
        await it.paste("x\n")
        await it.press("x", "C", "d", "r")
        assert it.answers == []
