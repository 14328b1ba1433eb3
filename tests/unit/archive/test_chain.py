"""The events of a folder, and the lines that the manifest lacks."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cloudstore_tui.archive.chain import START, Break, object_lines, read_chain
from cloudstore_tui.archive.manifest import NAME, UNLISTED, place_of


def test_neither_earlier_versions_nor_what_could_not_be_listed_are_objects_as_they_were_last(tmp_path: Path) -> None:
    now = {"profile": "acme8", "region": "us-east", "id": "id-1", "path": "call (2).mp3", "sha256": "1" * 64}
    before = now | {"path": "call.mp3", "sha256": "2" * 64, "superseded": "2024-09-02T09:00:00Z"}
    unlisted = {"event": UNLISTED, "profile": "acme8", "where": "acme8:uk/"}
    (tmp_path / NAME).write_text("".join(f"{json.dumps(line)}\n" for line in (now, before, unlisted)))
    assert list(object_lines(place_of(tmp_path))) == [now]


def test_a_clock_that_was_set_back_is_reported_once(tmp_path: Path) -> None:
    lines, before = list[bytes](), START
    for number, minutes in enumerate((0, 600, 10, 11, 12), 1):
        moment = datetime(2024, 9, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        lines.append(json.dumps({"n": number, "at": moment.isoformat(), "event": "pulled", "prev": before}).encode())
        before = hashlib.sha256(lines[-1]).hexdigest()
    (tmp_path / "events.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    broken = list[Break]()
    assert len(list(read_chain(tmp_path / "events.jsonl", broken.append))) == 5
    assert broken == [Break(3, "it is older than a line before it: the clock was set back", is_clock=True)]
