"""A look into objects of the sandbox, by the command and piece by piece."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.core.errors import ForbiddenError, IntegrityError, NetworkError, ReplyError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.core.profile import Timeouts
from cloudstore_tui.net.blob import BlobClient
from cloudstore_tui.preview.model import Waveform
from cloudstore_tui.preview.runner import facts_of, make_preview
from cloudstore_tui.sandbox.server import Ready, Sandbox
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.transfers.range_reader import RangeReader
from tests.support.commands import Cloudstore


@pytest.fixture
def run(ready: Ready, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Cloudstore:
    """Runs `cloudstore` without a terminal."""
    return Cloudstore(capfd, {"CLOUDSTORE_CONFIG": str(ready.config)}, tmp_path)


@pytest.fixture
def first(run: Cloudstore) -> Callable[[str], dict[str, Any]]:
    """The first object that a filter finds."""

    def find(words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run("find", "acme8:us-east", words, "--limit", "1", "--json").out)
        return found

    return find


@pytest.fixture
def recording(first: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """For tests with a loop of their own, in which no command can run."""
    return first("type==callcenterrecording")


@pytest.fixture
async def blob() -> AsyncIterator[BlobClient]:
    client = BlobClient(Timeouts(connect=2, read=2, stall=2))
    yield client
    await client.close()


@pytest.fixture
def reader_of(service: Any, blob: BlobClient) -> Callable[[StoredObject], RangeReader]:
    def make(entry: StoredObject) -> RangeReader:
        return RangeReader(lambda: blob, lambda _known: service.provider.source(entry.location), pauses=(0.0, 0.0))

    return make


async def test_pieces_of_every_service_fit_together(service: Any, reader_of: Any) -> None:
    entry = await service.an_object()
    reader = reader_of(entry)
    whole = await reader.read(0, 1 << 24)
    assert len(whole.data) == whole.total
    middle = whole.total // 2
    assert (await reader.read(middle, 1000)).data == whole.data[middle : middle + 1000]
    assert (await reader.read(whole.total, 10)).data == b""


@pytest.mark.parametrize("fault", ["whole", "reset-after", "close-after", "503", "no-etag", "weak-etag"])
async def test_what_goes_wrong_once_is_put_right(service: Any, reader_of: Any, sandbox: Sandbox, fault: str) -> None:
    entry = await service.an_object()
    reader = reader_of(entry)
    right = (await reader.read(100, 500)).data
    sandbox.faults.add(f"{fault} where=blob times=1")
    assert (await reader_of(entry).read(100, 500)).data == right


async def test_an_ended_link_is_asked_for_again_once(service: Any, reader_of: Any, sandbox: Sandbox) -> None:
    entry = await service.an_object()
    reader = reader_of(entry)
    right = (await reader.read(0, 500)).data
    sandbox.faults.add("expired where=blob times=1")
    assert (await reader.read(0, 500)).data == right
    sandbox.faults.add("expired where=blob times=0")
    with pytest.raises(ForbiddenError):
        await reader.read(0, 500)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("html", ReplyError), ("wrong-start", IntegrityError), ("gzip", ReplyError), ("reset", NetworkError)],
)
async def test_what_keeps_going_wrong_is_said(
    service: Any, reader_of: Any, sandbox: Sandbox, fault: str, error: type[Exception]
) -> None:
    entry = await service.an_object()
    sandbox.faults.add(f"{fault} where=blob times=0")
    with pytest.raises(error):
        await reader_of(entry).read(100, 500)


async def test_the_browser_looks_into_objects_from_another_thread(
    config: Any, open_profile: Any, recording: dict[str, Any]
) -> None:
    engine = EngineThread({"acme8": lambda: open_profile("acme8")})
    engine.start()
    try:
        provider = engine.providers["acme8"]
        entry = await provider.stat(provider.locate(f"us-east/{recording['id']}"))
        assert isinstance(entry, StoredObject)
        seen = await make_preview(engine.range_reader(entry), facts_of(entry))
        assert isinstance(seen.body, Waveform)
    finally:
        await asyncio.to_thread(engine.stop)


def test_the_command_shows_a_transcript_as_a_dialogue(run: Cloudstore, first: Any) -> None:
    done = run("preview", f"acme8:us-east/{first('type==transcription;sourceObjectType==callcenterrecording')['id']}")
    assert (done.code, "transcript · ASCII · complete" in done.err) == (0, True)
    assert "   0:00  agent     " in done.out


def test_the_command_speaks_json(run: Cloudstore, first: Any) -> None:
    done = run("preview", f"acme8:us-east/{first('type==callcenterrecording')['id']}", "--json")
    record = json.loads(done.out)
    assert record["format"] == "MP3 audio"
    assert record["facts"]["channels"] == "2 (stereo)"
    assert len(record["loudness_db"]) == 2
    assert record["read"] <= record["size"]


def test_of_a_large_recording_only_a_little_is_fetched(run: Cloudstore) -> None:
    keys = [json.loads(line)["key"] for line in run("ls", "acme:exports/cxp/callsre/", "--json").out.splitlines()]
    key = next(key for key in keys if key.endswith("4h.wav"))
    record = json.loads(run("preview", f"acme:{key}", "--json").out)
    assert record["facts"]["length"] == "4:00:00"
    assert record["read"] < 2_000_000 < 200_000_000 < record["size"]


def test_where_the_store_sends_only_whole_objects_the_beginning_is_shown(run: Cloudstore, sandbox: Sandbox) -> None:
    keys = [json.loads(line)["key"] for line in run("ls", "acme:exports/cxp/callsre/", "--json").out.splitlines()]
    key = next(key for key in keys if key.endswith("4h.wav"))
    sandbox.faults.add("whole where=blob times=0")
    record = json.loads(run("preview", f"acme:{key}", "--json").out)
    assert (record["read"], record["facts"]["length"]) == (65_536, "4:00:00")
    assert any(note.startswith("The store only sends whole objects") for note in record["notes"])


def test_so_many_bytes_are_read_as_are_asked_for(run: Cloudstore) -> None:
    path = "acme:exports/configuration/campaign/campaigns.csv"
    record = json.loads(run("preview", path, "--bytes", "300", "--json").out)
    assert (record["format"], record["read"], record["whole"]) == ("CSV", 300, False)
    assert record["head"].split() == ["date", "campaign", "pass", "attempts", "connects", "abandon_rate"]


def test_what_cannot_be_looked_into_is_said(run: Cloudstore, first: Any) -> None:
    done = run("preview", f"acme8:us-east/{first('objectState==ARCHIVED')['id']}")
    assert (done.code, "ARCHIVED" in done.err) == (8, True)
    folder = run("preview", "acme:exports/")
    assert (folder.code, "it is a folder" in folder.err) == (2, True)


def test_a_file_on_this_machine_is_looked_into(run: Cloudstore, tmp_path: Any) -> None:
    path = tmp_path / "calls.csv"
    path.write_bytes(b"id,agent\n1,Ann\n")
    shown = run("preview", str(path))
    assert (shown.code, shown.out.split()) == (0, ["id", "agent", "1", "Ann"])
    assert "calls.csv · CSV · ASCII · complete, 15 B" in shown.err
    record = json.loads(run("preview", str(path), "--json").out)
    assert (record["format"], record["path"], record["whole"]) == ("CSV", str(path), True)
    assert run("preview", str(path), "--text").out.split() == ["id", "agent", "1", "Ann"]
    missing = run("preview", str(tmp_path / "no.csv"))
    assert (missing.code, "there is no such file" in missing.err) == (2, True)


@pytest.mark.parametrize("folder", ["exports/reporting/outreach/", "exports/reporting/intraday/"])
def test_archives_are_listed(run: Cloudstore, folder: str) -> None:
    key = json.loads(run("ls", f"acme:{folder}", "--json").out.splitlines()[0])["key"]
    done = run("preview", f"acme:{key}")
    assert "tar archive" in done.err
    assert ".csv" in done.out
