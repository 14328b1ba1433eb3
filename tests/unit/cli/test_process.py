"""A program that begins without its standard streams."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(closed: str, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    command = f'"{sys.executable}" -m cloudstore_tui profile list {closed}; echo $? >"{seen}"'
    environment = {"HOME": str(tmp_path), "CLOUDSTORE_CONFIG": str(tmp_path / "none.toml")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert seen.read_text() == "0\n"


def test_what_reads_a_closed_stdin_finds_nothing_there(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m cloudstore_tui restore - <&-'
    environment = {"HOME": str(tmp_path), "CLOUDSTORE_CONFIG": str(tmp_path / "none.toml")}
    done = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("Nothing is named on stdin")
