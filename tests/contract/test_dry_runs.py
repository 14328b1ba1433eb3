"""What `--dry-run` tells, and that nothing comes of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.sandbox.server import Sandbox
from tests.support.commands import Cloudstore

FOLDER = "acme:imports/outreach/nanp/"
PLAN = f"{FOLDER}number-plan.csv"


@pytest.fixture
def unchanged(cloudstore: Cloudstore, sandbox: Sandbox) -> Callable[[], None]:
    """Asserts that the services hold what they held."""

    def held() -> list[Any]:
        return [cloudstore("ls", FOLDER, "--json").out, cloudstore("find", "acme8", "state:any", "--json").out]

    before = held()

    def check() -> None:
        assert held() == before

    return check


def test_rm_tells_what_would_be_deleted(cloudstore: Cloudstore, unchanged: Callable[[], None]) -> None:
    done = cloudstore("rm", PLAN, "-n")
    assert (done.code, done.out.split()[:3]) == (0, ["would", "delete", PLAN])
    assert cloudstore("rm", PLAN, f"{FOLDER}none.csv", "--dry-run", "--json").records[0]["result"] == "already gone"
    unchanged()
    assert cloudstore("deletions").out == ""


def test_put_tells_what_would_be_uploaded_replaced_or_skipped(
    cloudstore: Cloudstore, tmp_path: Path, unchanged: Callable[[], None]
) -> None:
    for name in ("new.csv", "number-plan.csv"):
        (tmp_path / name).write_text("x")
    done = cloudstore("put", "new.csv", "number-plan.csv", FOLDER, "-n", "--on-conflict", "overwrite", "--json")
    assert [record["would"] for record in done.records] == ["upload", "replace"]
    skipped = cloudstore("put", "number-plan.csv", FOLDER, "-n", "--on-conflict", "skip")
    assert (skipped.code, skipped.out.split()[:2]) == (0, ["would", "skip"])
    assert cloudstore("put", "number-plan.csv", FOLDER, "-n").code == 9
    unchanged()


def test_skip_leaves_the_object_that_is_there_and_is_no_failure(cloudstore: Cloudstore, tmp_path: Path) -> None:
    (tmp_path / "number-plan.csv").write_text("other")
    before = cloudstore("ls", FOLDER, "--json").out
    done = cloudstore("put", "number-plan.csv", FOLDER, "--on-conflict", "skip")
    assert (done.code, done.out.split()) == (0, ["skipped", PLAN])
    assert cloudstore("ls", FOLDER, "--json").out == before


def test_restore_and_zip_start_tell_what_they_would_ask_for(
    cloudstore: Cloudstore, unchanged: Callable[[], None]
) -> None:
    (archived,) = cloudstore("find", "acme8:us-east", "state:archived", "--limit", "1", "--columns", "path").out.split()
    done = cloudstore("restore", archived, "-n", "--json")
    assert [(record["path"], record["would"]) for record in done.records] == [(archived, "restore")]
    assert cloudstore("restore", "list", "--json").out == ""
    before = cloudstore("zip", "list", "acme8").out
    (there,) = cloudstore("find", "acme8:us-east", "type:summary", "--limit", "1", "--columns", "path").out.split()
    assert cloudstore("zip", "start", there, "-n").out == f"would pack  {there}\n"
    assert cloudstore("zip", "list", "acme8").out == before
    unchanged()
