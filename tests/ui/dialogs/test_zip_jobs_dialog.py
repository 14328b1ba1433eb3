"""The list of zip jobs."""

from typing import Any

import pytest

from cloudstore_tui.core.links import ZipJob
from cloudstore_tui.ui.dialogs.fetching import JobOrder, JobVerb, ZipJobsDialog

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
