"""Calls that took place, what the service has of them, and what is here."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.archive.manifest import Manifest, entry_of, fetched_entry
from cloudstore_tui.archive.reconcile import CallRow, OpenKind, Reconciliation, read_calls
from cloudstore_tui.core.errors import LocalDiskError, UsageError
from cloudstore_tui.core.models import Location, StoredObject
from cloudstore_tui.transfers.workers import Stop

START = datetime(2024, 9, 1, tzinfo=UTC)
TYPES = ("callcenterrecording", "transcription")
KINDS = ("", "", "", *(kind.name for kind in OpenKind))


def recording(number: int, type_: str = TYPES[0], state: str = "AVAILABLE", call: str = "") -> StoredObject:
    return StoredObject(
        Location("acme8", "us-east", f"{type_[0]}{number}"),
        f"{number}.mp3",
        id=f"{type_[0]}{number}",
        type=type_,
        size=3,
        size_exact=True,
        created=START + timedelta(seconds=number),
        state=state,
        checksum="c",
        tags=(("callId", call or f"call-{number}"),),
    )


class Month:
    """So many calls, and what is seeded to be wrong with some."""

    def __init__(self, folder: Path, number: int, seed: int) -> None:
        self.folder = folder
        drawn = random.Random(seed)
        self.wrong = [drawn.choice(KINDS) if drawn.random() < 0.05 else "" for _ in range(number)]
        self.wrong[0] = self.wrong[-1] = ""
        manifest = Manifest(folder)
        (folder / "same").write_bytes(b"abc")
        (folder / "changed").write_bytes(b"other bytes")
        found = (folder / "same").stat()
        for at, wrong in enumerate(self.wrong):
            if wrong in ("MISSING", "ARCHIVED", "NOT_HERE", "UNEXPECTED"):
                continue
            for type_ in TYPES:
                path = Path("changed" if wrong == "CHANGED" and type_ == TYPES[0] else "same")
                line = entry_of(recording(at, type_), path, "8x8")  # type: ignore[arg-type]  # a path is a path
                manifest.append(fetched_entry(line, found, "md5", "0" * 64, START))
        manifest.close()

    def calls(self) -> Iterator[CallRow]:
        for at, wrong in enumerate(self.wrong):
            if wrong != "UNEXPECTED":
                yield CallRow(f"call-{at}", START + timedelta(seconds=at))

    def objects(self) -> Iterator[StoredObject]:
        for at, wrong in enumerate(self.wrong):
            if wrong != "MISSING":
                yield recording(at, state="ARCHIVED" if wrong == "ARCHIVED" else "AVAILABLE")
                if wrong not in ("LACKING", "UNEXPECTED"):
                    yield recording(at, TYPES[1], state="ARCHIVED" if wrong == "ARCHIVED" else "AVAILABLE")


def found_in(month: Month, scratch: Path) -> Counter[tuple[str, str]]:
    with closing(Reconciliation(month.folder, TYPES, scratch)) as joined:
        joined.add_calls(month.calls())
        joined.add_folder()
        joined.add_objects(month.objects(), Stop())
        return Counter((item.kind.name, item.call or item.address) for item in joined.open_items())


def check_month(folder: Path, number: int, seed: int) -> None:
    month = Month(folder / "calls", number, seed)
    wanted: Counter[tuple[str, str]] = Counter()
    for at, wrong in enumerate(month.wrong):
        if wrong == "UNEXPECTED":
            wanted[wrong, f"acme8:us-east/c{at}"] = 1
        elif wrong:
            wanted[wrong, f"call-{at}"] = 2 if wrong in ("ARCHIVED", "NOT_HERE") else 1
    assert set(KINDS) - {""} == {kind for kind, _ in wanted}
    assert found_in(month, folder / "scratch") == wanted


def test_every_kind_of_gap_is_found_and_none_is_invented(tmp_path: Path) -> None:
    check_month(tmp_path, 2_000, seed=7)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_same_with_a_hundred_thousand_calls(tmp_path: Path) -> None:
    check_month(tmp_path, 100_000, seed=11)


def test_what_is_here_and_not_at_the_service_any_more_counts_as_there(tmp_path: Path) -> None:
    month = Month(tmp_path / "calls", 3, 1)
    with closing(Reconciliation(month.folder, TYPES)) as joined:
        joined.add_calls(month.calls())
        joined.add_folder()
        joined.add_only_here(Stop())
        assert list(joined.open_items()) == []


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Call ID,Start Time\na,2024-09-01 10:00\n\nb,2024-09-01T11:00:00Z\n,\n", ["a", "b"]),
        ("\ufeffcallId;start\r\na;1725184800000\r\nb;1725184800\r\n", ["a", "b"]),
        ('x\tid\tdate\n1\t"a\nb"\tnever\n', ["a\nb"]),
        ("id,start\n" + "a,2024-09-01\n" * 3, ["a", "a", "a"]),
    ],
)
def test_calls_are_read_from_any_table(tmp_path: Path, text: str, ids: list[str]) -> None:
    (tmp_path / "calls.csv").write_text(text, encoding="utf-8", newline="")
    rows = list(read_calls(tmp_path / "calls.csv", ZoneInfo("Europe/Berlin")))
    assert [row.id for row in rows] == ids
    if "never" not in text and "Z" not in text:
        assert all(row.start for row in rows)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_table_may_be_what_spreadsheets_call_unicode_text(tmp_path: Path, encoding: str) -> None:
    text = "\ufeffCall ID\tStart\r\nä\t2024-09-01 10:00\r\n"
    (tmp_path / "calls.txt").write_bytes(text.encode(encoding))
    assert [(row.id, row.start) for row in read_calls(tmp_path / "calls.txt", UTC)] == [
        ("ä", datetime(2024, 9, 1, 10, tzinfo=UTC))
    ]


def test_no_line_with_a_call_is_skipped(tmp_path: Path) -> None:
    # Programs leave out empty cells at the end of a line.
    (tmp_path / "calls.csv").write_text("agent,id,start\nAda,a\n,,\nBo\nCy, ,2024-09-01\nDi,d,2024-09-01\n")
    rows = list(read_calls(tmp_path / "calls.csv", UTC))
    assert [(row.id, row.start) for row in rows] == [("a", None), ("", None), ("", START), ("d", START)]
    with closing(Reconciliation(tmp_path / "archive", ())) as joined:
        joined.add_calls(rows)
        assert (joined.calls, joined.unread, joined.unnamed) == (2, 1, 2)
        assert [item.call for item in joined.open_items()] == ["a", "d"]


def test_a_table_without_such_a_column_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("ticket,when\n1,2024-09-01\n")
    with pytest.raises(UsageError, match="no column with a known name"):
        list(read_calls(tmp_path / "calls.csv", UTC))
    rows = list(read_calls(tmp_path / "calls.csv", UTC, "Ticket", "when"))
    assert rows == [CallRow("1", START)]
    with pytest.raises(UsageError, match="no column nothing"):
        list(read_calls(tmp_path / "calls.csv", UTC, "nothing", "when"))
    with pytest.raises(LocalDiskError):
        list(read_calls(tmp_path / "not-there.csv", UTC))
