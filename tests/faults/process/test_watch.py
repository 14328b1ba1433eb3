"""A watch that is asked to end does so with the object in hand; who asks twice gets the end at once."""

import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

RATE = 150_000
SLACK = 8.0
"""Seconds that an end at once may take, on a slow machine."""
UNTIL = int(datetime(2024, 9, 1, 14, 40, tzinfo=UTC).timestamp() * 1000)
WATCH = (
    *("watch", "acme8:us-east", "--since", "2024-09-01T14:00Z", "--to", "calls"),
    *("--fiql", f"type==callcenterrecording;createdTime=lt={UNTIL}", "--report", "report.json"),
)


def lines(machine: Any) -> list[dict[str, Any]]:
    """What the manifest says of the files that are here."""
    manifest = machine.folder / "calls" / "manifest.jsonl"
    found = [json.loads(line) for line in manifest.read_text().splitlines()] if manifest.exists() else []
    return [line for line in found if "error" not in line]


def started(machine: Any, slow: Callable[[int], None], rate: int = RATE) -> Any:
    (machine.folder / "calls").mkdir()
    slow(rate)
    watch = machine.start(*WATCH)
    machine.arrived()
    return watch


def test_a_signal_ends_it_after_the_object_in_hand(machine: Any, slow: Callable[[int], None]) -> None:
    watch = started(machine, slow)
    watch.tell(signal.SIGTERM)
    ended = watch.end()
    assert ended.code == 143
    files = {file.name for file in (machine.folder / "calls").glob("*.mp3")}
    here = {line["path"] for line in lines(machine)}
    assert here == files
    assert here
    assert not list((machine.folder / "calls").glob(".cs-*")), "an object in hand was given up"
    report = json.loads((machine.folder / "report.json").read_text())
    assert (report["outcome"], report["code"]) == ("stopped", 143)
    slow(0)
    wanted = machine.run("find", "acme8:us-east", "--fiql", WATCH[7], "--since", "2024-09-01T14:00Z", "--json").records
    assert 0 < len(here) < len(wanted), "it began what it had not begun"
    asked = machine.run("status", "calls")
    assert (asked.code, "no run has ever been complete" in asked.err) == (1, True)


def test_one_folder_has_one_watch_and_a_second_signal_ends_it_at_once(
    machine: Any, slow: Callable[[int], None], wait_until: Callable[..., Any]
) -> None:
    watch = started(machine, slow, RATE // 20)
    other = machine.run(*WATCH)
    assert (other.code, "another watch fills this folder" in other.err) == (10, True)
    watch.tell(signal.SIGTERM)
    # Two at once would be one.
    wait_until(lambda: watch.age > 0.3, "some time")
    watch.tell(signal.SIGTERM)
    ended = watch.end()
    assert ended.code == 143
    assert ended.seconds <= SLACK
    assert list((machine.folder / "calls").glob(".cs-*")), "what arrived was not kept"
    assert json.loads((machine.folder / "report.json").read_text())["outcome"] == "stopped"
