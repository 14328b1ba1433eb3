"""Listings that are kept for the shell, by several shells at once."""

import os
from pathlib import Path

from cloudstore_tui.cli.remote_paths import keep


def test_an_old_listing_that_another_shell_has_just_removed_is_no_error(tmp_path: Path) -> None:
    gone, old = tmp_path / "gone", tmp_path / "old"
    gone.symlink_to(tmp_path / "nothing")
    old.touch()
    os.utime(old, (0, 0))
    keep(tmp_path / "new", ["acme:exports/"])
    assert not old.exists()
    assert (tmp_path / "new").read_text() == "acme:exports/"
