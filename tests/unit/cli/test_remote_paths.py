"""Listings that are kept for the shell, by several shells at once."""

import os
import time
from pathlib import Path

from cloudstore_tui.cli.remote_paths import FRESH_S, cache_listing


def test_an_old_listing_that_another_shell_has_just_removed_is_no_error(tmp_path: Path) -> None:
    gone, old, young = tmp_path / "gone", tmp_path / "old", tmp_path / "young"
    gone.symlink_to(tmp_path / "nothing")
    old.write_text(f"{time.time() - FRESH_S - 1}\nacme:")
    # A file server may have another clock than this machine.
    young.write_text(f"{time.time()}\nacme:")
    os.utime(young, (0, 0))
    cache_listing(tmp_path / "new", ["acme:exports/"])
    assert not old.exists()
    assert young.exists()
    assert (tmp_path / "new").read_text().split("\n")[1:] == ["acme:exports/"]
