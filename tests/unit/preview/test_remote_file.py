"""An object as a file, and what is fetched for it."""

import io
import tarfile
import zipfile
from collections.abc import Sequence

import pytest

from cloudstore_tui.preview.remote_file import NotFetchedError, RemoteFile

DATA = bytes(number * 7 % 251 for number in range(300_000))


class Store:
    def __init__(self, data: bytes = DATA, most: int = 1 << 40) -> None:
        self.data = data
        self.most = most
        self.asked: list[tuple[int, int]] = []

    def __call__(self, ranges: Sequence[tuple[int, int]]) -> tuple[list[bytes], str]:
        self.asked += ranges
        pieces = [self.data[first : first + count] if first + count <= self.most else b"" for first, count in ranges]
        return pieces, "no more" if b"" in pieces else ""


def opened(store: Store, head: int = 0, read_ahead: int = 65_536) -> RemoteFile:
    return RemoteFile(store, len(store.data), store.data[:head], read_ahead)


@pytest.mark.parametrize("head", [0, 1, 4096, 5000, 100_000, 300_000])
@pytest.mark.parametrize("read_ahead", [4096, 65_536])
def test_it_reads_as_a_file_does(head: int, read_ahead: int) -> None:
    file, same = opened(Store(), head, read_ahead), io.BytesIO(DATA)
    for offset, whence, count in (
        (0, 0, 10), (4090, 0, 20), (-5, 2, 100), (0, 1, 5), (200_000, 0, 70_000), (3, 0, 0), (299_999, 0, -1),
        (-100_000, 2, 50_000), (400_000, 0, 5), (0, 0, -1),
    ):  # fmt: skip
        assert file.seek(offset, whence) == same.seek(offset, whence)
        assert file.read(count) == same.read(count)
        assert file.tell() == same.tell()


def test_what_was_read_once_is_kept_and_what_is_here_is_not_asked_for() -> None:
    store = Store()
    file = opened(store, 65_536)
    file.read(65_536)
    assert store.asked == []
    file.read(10)
    file.seek(70_000)
    file.read(50_000)
    assert store.asked == [(65_536, 65_536)]


def test_a_buffered_reader_and_the_libraries_read_it() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", DATA)
    assert zipfile.ZipFile(io.BufferedReader(opened(Store(packed.getvalue())))).read("a.txt") == DATA
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name in ("a", "b"):
            info = tarfile.TarInfo(name)
            info.size = 100_000
            tar.addfile(info, io.BytesIO(DATA))
    store = Store(made.getvalue())
    with tarfile.open(fileobj=opened(store, read_ahead=4096)) as tar:
        assert tar.getnames() == ["a", "b"]
    assert sum(count for _, count in store.asked) < 30_000


def test_what_cannot_be_had_is_an_error_that_says_why() -> None:
    file = opened(Store(most=100_000))
    assert file.read(10) == DATA[:10]
    file.seek(200_000)
    with pytest.raises(NotFetchedError, match="no more"):
        file.read(10)
    assert file.problem == "no more"


def test_a_budget_of_requests_ends() -> None:
    store = Store()
    file = opened(store, read_ahead=4096)
    file.requests_left = 3
    for offset in (0, 100_000, 200_000):
        file.seek(offset)
        assert file.read(1) == DATA[offset : offset + 1]
    file.seek(50_000)
    with pytest.raises(NotFetchedError, match="more than a preview reads"):
        file.read(1)
    assert len(store.asked) == 3


@pytest.mark.parametrize(("offset", "whence"), [(-1, 0), (-300_001, 2), (1 << 63, 0)])
def test_there_is_no_offset_before_the_beginning(offset: int, whence: int) -> None:
    with pytest.raises(OSError, match="no such offset"):
        opened(Store()).seek(offset, whence)
