"""What is in the files: real recordings, archives and lists, of the size in the listing."""

import csv
import io
import tarfile
import wave
from collections.abc import Callable
from typing import Any

import pytest

Fetch = Callable[[str], bytes]


@pytest.fixture
def first(api: Any) -> Fetch:
    """The bytes of the first file of a folder, compared with its size in the listing."""

    def fetch(folder: str) -> bytes:
        entry = next(entry for entry in api.list(folder, "file").json["objectKeys"] if entry["size"])
        data: bytes = api.send("GET", api.signed(entry["key"])).body
        assert f"{len(data) / 1024:.1f} KB" == entry["size"]
        return data

    return fetch


def rows(data: bytes, delimiter: str = ",") -> list[list[str]]:
    found = list(csv.reader(io.StringIO(data.decode()), delimiter=delimiter))
    assert len(found) > 5
    assert {len(row) for row in found} == {len(found[0])}
    return found


@pytest.mark.parametrize(
    ("folder", "mode", "members"),
    [
        ("reporting/enterprise-historical", "r:", ["call_detail.csv", "agent_activity.csv", "campaign_summary.csv"]),
        ("reporting/outreach", "r:", ["call_results.csv", "contacts.csv", "campaigns.csv"]),
        ("reporting/intraday", "r:gz", ["intervals.csv", "call_detail.csv"]),
    ],
)
def test_an_export_is_an_archive_of_csv_files(first: Fetch, folder: str, mode: Any, members: list[str]) -> None:
    with tarfile.open(fileobj=io.BytesIO(first(f"exports/{folder}/")), mode=mode) as archive:
        assert archive.getnames() == members
        for member in archive:
            packed = archive.extractfile(member)
            assert packed is not None
            rows(packed.read())


def test_a_recording_is_a_wave_file_with_sound_of_changing_loudness(first: Fetch) -> None:
    with wave.open(io.BytesIO(first("exports/cxp/recordings/"))) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        assert sound.getnframes() % 8000 == 0
        samples = memoryview(sound.readframes(10 * 8000)).cast("h")
    loudness = {max(map(abs, samples[start : start + 400])) for start in range(0, len(samples), 400)}
    assert len(loudness) > 5


def test_lists_are_csv_or_raw(first: Fetch, api: Any) -> None:
    assert rows(first("exports/compliance/audit/"))[0][0] == "row"
    key = "imports/outreach/list-management/outreach.raw"
    assert rows(api.send("GET", api.signed(key)).body, "|")[0][0] == "ACCOUNT"


def test_the_same_seed_makes_the_same_bytes(api: Any) -> None:
    key = api.list("exports/reporting/intraday/").keys[0]
    item = api.sandbox.alvaria.store.file(key)
    url = api.signed(key)
    assert api.send("GET", url).body == api.sandbox.alvaria.store.blob(item).read(0, item.size)
