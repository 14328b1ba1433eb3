"""What a folder tells of its objects as they were last."""

import json
from pathlib import Path

from cloudstore_tui.archive.chain import object_lines
from cloudstore_tui.archive.manifest import NAME, UNLISTED


def test_neither_earlier_versions_nor_what_could_not_be_listed_are_objects_as_they_were_last(tmp_path: Path) -> None:
    now = {"profile": "acme8", "region": "us-east", "id": "id-1", "path": "call (2).mp3", "sha256": "1" * 64}
    before = now | {"path": "call.mp3", "sha256": "2" * 64, "superseded": "2024-09-02T09:00:00Z"}
    unlisted = {"event": UNLISTED, "profile": "acme8", "where": "acme8:uk/"}
    (tmp_path / NAME).write_text("".join(f"{json.dumps(line)}\n" for line in (now, before, unlisted)))
    assert list(object_lines(tmp_path, tmp_path)) == [now]
