"""`put --follow`: what the service makes of a file that was sent, told when it is known."""

import time
from pathlib import Path

import pytest

from cloudstore_tui.cli import transfer
from cloudstore_tui.sandbox.server import Sandbox
from tests.support.commands import Cloudstore, Done

FOLDER = "acme:imports/apm/ecf/"


@pytest.fixture(autouse=True)
def _soon(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "FIRST_POLL_S", 0.05)
    sandbox.switches.set({"A-take-seconds": "0.3"})


def put(cloudstore: Cloudstore, folder: Path, name: str, *more: str) -> Done:
    (folder / name).write_text(f"contact,{time.monotonic_ns()}\n")
    return cloudstore("put", name, FOLDER, "--follow", "--on-conflict", "overwrite", "--json", *more)


def test_a_file_that_was_processed_is_told(cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path) -> None:
    done = put(cloudstore, tmp_path, "good.csv")
    assert (done.code, [record["result"] for record in done.records]) == (0, ["done", "processed"]), done.err
    assert done.report["taken_to"] == f"{FOLDER}processed/good.csv"
    # The one from before is there still; only the new one counts.
    sandbox.switches.set({"A-take": "stay"})
    time.sleep(1)  # times of the service have whole seconds
    again = put(cloudstore, tmp_path, "good.csv", "--within", "1s")
    assert (again.code, "not processed within" in again.err, "it is still there" in again.err) == (4, True, True)


def test_a_file_that_went_to_errors_is_told(cloudstore: Cloudstore, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.switches.set({"A-take": "errors"})
    done = put(cloudstore, tmp_path, "bad.csv")
    assert (done.code, done.report["path"], done.report["code"]) == (11, f"{FOLDER}bad.csv", 11)
    assert f"put it into errors/. Look why: cloudstore preview {FOLDER}errors/bad.csv" in done.err
    assert cloudstore("stat", f"{FOLDER}errors/bad.csv").code == 0


def test_where_nothing_is_taken_from_nothing_is_sent(cloudstore: Cloudstore, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x")
    done = cloudstore("put", "x.csv", f"{FOLDER}processed/", "--follow")
    assert (done.code, "files are not processed there" in done.err) == (2, True)
    assert cloudstore("stat", f"{FOLDER}processed/x.csv").code == 8
    assert cloudstore("put", "x.csv", FOLDER, "--within", "5m").code == 2


def test_a_dry_run_waits_for_nothing(cloudstore: Cloudstore, tmp_path: Path) -> None:
    done = put(cloudstore, tmp_path, "dry.csv", "--dry-run")
    assert (done.code, done.report["would"]) == (0, "upload")
