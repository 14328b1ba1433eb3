"""What is on the disk already, or comes there meanwhile."""

import os
from pathlib import Path
from typing import Any

import pytest

from cloudstore_tui.transfers.model import DownloadRequest, OnConflict, State
from tests.support.downloads import PLACE, get, names_in


async def test_a_file_with_the_right_content_counts_as_done(
    engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    (folder / "x.tar").write_bytes(content)
    transfer = await get(engine, folder)
    assert (transfer.state, transfer.level, transfer.path) == (State.DONE, "md5", folder / "x.tar")
    assert server.log == []


async def test_without_a_checksum_the_bytes_are_fetched_to_compare(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path
) -> None:
    provider.tells_size = provider.tells_checksum = False
    server.put("/exports/x.tar", content)
    (folder / "x.tar").write_bytes(content)
    transfer = await get(engine, folder)
    assert transfer.state is State.DONE
    assert names_in(folder) == ["x.tar"]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("same_size", [False, True])
async def test_another_file_is_never_touched_unasked(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path, known: bool, same_size: bool
) -> None:
    provider.tells_size = provider.tells_checksum = known
    server.put("/exports/x.tar", content)
    mine = bytes(len(content)) if same_size else b"mine"
    (folder / "x.tar").write_bytes(mine)
    transfer = await get(engine, folder)
    assert transfer.error is not None
    assert transfer.error.code == 9
    assert (folder / "x.tar").read_bytes() == mine
    assert names_in(folder) == ["x.tar"]
    fetched = [seen for seen in server.log if "range" not in seen.headers]
    assert len(fetched) == (1 if same_size and not known else 0)


async def test_a_file_in_the_way_can_be_skipped(engine: Any, server: Any, content: bytes, folder: Path) -> None:
    server.put("/exports/x.tar", content)
    (folder / "x.tar").write_bytes(b"mine")
    transfer = await get(engine, folder, on_conflict=OnConflict.SKIP)
    assert (transfer.state, server.log) == (State.SKIPPED, [])
    assert (folder / "x.tar").read_bytes() == b"mine"


async def test_a_file_in_the_way_can_be_replaced(engine: Any, server: Any, content: bytes, folder: Path) -> None:
    server.put("/exports/x.tar", content)
    (folder / "x.tar").write_bytes(b"mine")
    transfer = await get(engine, folder, on_conflict=OnConflict.OVERWRITE)
    assert transfer.state is State.DONE
    assert (folder / "x.tar").read_bytes() == content


async def test_a_download_that_fails_leaves_the_file_it_was_to_replace(
    engine: Any, server: Any, provider: Any, content: bytes, folder: Path
) -> None:
    provider.checksum = "0" * 32
    server.put("/exports/x.tar", content)
    (folder / "x.tar").write_bytes(b"mine")
    await get(engine, folder, on_conflict=OnConflict.OVERWRITE)
    assert (folder / "x.tar").read_bytes() == b"mine"


async def test_both_can_be_kept_and_a_second_run_fetches_nothing(
    engine: Any, server: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    (folder / "x.tar").write_bytes(b"mine")
    first = await get(engine, folder, on_conflict=OnConflict.KEEP_BOTH)
    second = await get(engine, folder, on_conflict=OnConflict.KEEP_BOTH)
    assert first.path == second.path
    assert first.path is not None
    assert first.path.read_bytes() == content
    assert (folder / "x.tar").read_bytes() == b"mine"
    assert (len(server.log), len(names_in(folder))) == (1, 2)


@pytest.mark.parametrize("way", [OnConflict.REFUSE, OnConflict.OVERWRITE])
@pytest.mark.parametrize("kind", ["link", "folder", "fifo"])
async def test_what_is_no_file_is_never_written_through(
    engine: Any, server: Any, content: bytes, folder: Path, tmp_path: Path, kind: str, way: OnConflict
) -> None:
    server.put("/exports/x.tar", content)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    place = folder / "x.tar"
    if kind == "link":
        place.symlink_to(victim)
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    transfer = await get(engine, folder, on_conflict=way)
    assert transfer.error is not None
    assert transfer.error.code == 7
    assert victim.read_bytes() == b"precious"
    assert server.log == []


@pytest.mark.parametrize(
    ("way", "state"),
    [(OnConflict.REFUSE, State.FAILED), (OnConflict.SKIP, State.SKIPPED), (OnConflict.KEEP_BOTH, State.DONE)],
)
async def test_a_file_that_appears_meanwhile_is_never_replaced(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path, way: OnConflict, state: State
) -> None:
    server.put("/exports/x.tar", content)
    server.answer(answer(once=lambda: (folder / "x.tar").write_bytes(b"mine")))
    transfer = await get(engine, folder, on_conflict=way)
    assert transfer.state is state
    assert (folder / "x.tar").read_bytes() == b"mine"
    assert len(names_in(folder)) == (2 if way is OnConflict.KEEP_BOTH else 1)


async def test_two_downloads_of_one_object_to_one_place_do_not_mix(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    server.put("/exports/x.tar", content)
    numbers = [engine.submit(DownloadRequest(PLACE, folder)) for _ in range(3)]
    transfers = [await engine.wait(number) for number in numbers]
    assert (folder / "x.tar").read_bytes() == content
    assert names_in(folder) == ["x.tar"]
    assert {transfer.error.code for transfer in transfers if transfer.error} <= {10}
    assert any(transfer.state is State.DONE for transfer in transfers)


async def test_a_part_file_left_by_a_killed_run_is_used_again(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path
) -> None:
    names: list[str] = []
    server.put("/exports/x.tar", content)
    server.answer(answer(once=lambda: names.extend(names_in(folder))))
    await get(engine, folder)
    assert len(names) == 1
    (folder / "x.tar").unlink()
    (folder / names[0]).write_bytes(bytes(len(content) + 1))
    await get(engine, folder)
    assert len(server.log) == 2
    assert (folder / "x.tar").read_bytes() == content
    assert names_in(folder) == ["x.tar"]


@pytest.mark.parametrize("kind", ["symbolic link", "second name"])
async def test_a_part_file_that_is_somebody_elses_file_is_not_written_to(
    engine: Any, server: Any, answer: Any, content: bytes, folder: Path, tmp_path: Path, kind: str
) -> None:
    names: list[str] = []
    server.put("/exports/x.tar", content)
    server.answer(answer(once=lambda: names.extend(names_in(folder))))
    await get(engine, folder)
    (folder / "x.tar").unlink()
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    if kind == "symbolic link":
        (folder / names[0]).symlink_to(victim)
    else:
        (folder / names[0]).hardlink_to(victim)
    transfer = await get(engine, folder)
    assert victim.read_bytes() == b"precious"
    if kind == "symbolic link":
        assert transfer.error is not None
        assert transfer.error.code == 7
    else:
        assert (folder / "x.tar").read_bytes() == content
