"""The program ends at each named place in the code, and the next run makes it right."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cloudstore_tui
from cloudstore_tui.transfers.failpoint import VARIABLE

PACKAGE = Path(cloudstore_tui.__file__).parent
DOWNLOAD = (
    "journal_row",
    "part_open",
    "checkpoint",
    "after_sync",
    "verifying",
    "before_link",
    "after_link",
    "after_folder_sync",
    "after_unlink",
)
ZIP = ("zip_intent", "zip_started")
"""Passed by the program of `tests/contract/test_zip_jobs.py`, with those of a download."""
ZIP_TESTS = Path(__file__).parents[1] / "contract" / "test_zip_jobs.py"


def test_every_failpoint_is_known_here() -> None:
    found = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r'\bfailpoint\("([^"]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert found == set(DOWNLOAD + ZIP)
    # A copy of the project for one gate has no others beside it.
    tests = ZIP_TESTS.read_text(encoding="utf-8") if ZIP_TESTS.exists() else ""
    assert [name for name in ZIP if tests and not re.search(rf'"{name}[:"]', tests)] == []


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize("name", DOWNLOAD)
def test_a_download_that_ends_there_is_made_right_by_the_next_run(
    name: str, time: int, open_store: Callable[..., Any], open_place: Callable[..., Any], recordings: Any
) -> None:
    objects = recordings(3, 400_000, 900_000)
    place = open_place(open_store(objects, rate=3_000_000))
    ended = place.start(list(objects), {VARIABLE: f"{name}:{time}"}, at_once=1, checkpoint=100_000).end()
    assert ended.code == -signal.SIGKILL, "the place was not passed"
    place.check()
    place.finish(list(objects))
