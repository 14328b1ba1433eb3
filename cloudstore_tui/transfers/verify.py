"""Verifies that the bytes on the disk are those of the object."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct, field

from cloudstore_tui.fs.disk import Disk, os_errors_as
from cloudstore_tui.transfers.workers import Stop

MIB = 1 << 20
PART_SIZES = tuple(size * MIB for size in (5, 8, 10, 15, 16, 32, 64, 100))
"""Bytes per part that uploaders use; a `-N` checksum does not say which."""

_MD5 = re.compile(r"([0-9a-f]{32})(?:-([1-9][0-9]{0,4}))?")

CHUNK = 1 << 18
"""Bytes read at once: small enough to stay in the processor's cache until they are hashed twice."""


class Digests(Struct, frozen=True):
    """What was read back from disk."""

    size: int
    md5: str = ""
    """In hex; empty if it was not needed."""
    sha256: str = ""


class ExpectedChecksum(Struct, frozen=True):
    """What the service and the store say about an object."""

    size: int | None = None
    """Exact length in bytes, by the record or by the reply."""
    checksum: str = ""
    checksum_type: str = ""
    etag: str = ""
    """The strong validator that did not change while the bytes came; empty if there was none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Reply headers in lower case; some stores put digests there."""

    @property
    def is_strong(self) -> bool:
        """Whether the checksum alone proves what the object is, whatever its record says of the size."""
        found = _claimed_md5(self)
        return found is not None and int(found[2] or 0) <= 1


class VerifyResult(Struct, frozen=True):
    """The best level that holds, or what contradicts."""

    level: str
    contradiction: str = ""
    """A clause with both digests or sizes; empty where nothing contradicts."""
    doubt: str = ""
    """What the user should know although it proves nothing, as a clause."""

    @property
    def is_same(self) -> bool | None:
        """Whether the file is the object; `None` if only comparing all bytes could show it."""
        if self.contradiction:
            return False
        return True if self.level.startswith(("md5", "store")) else None


def needed(expected: ExpectedChecksum, *, sha256: bool = False) -> frozenset[str]:
    """The digests that show whether bytes are what is claimed: `md5`, `sha256`, both or none.

    With `sha256`, that one is always included.
    """
    wanted = {"sha256"} if sha256 else set()
    if (found := _claimed_md5(expected)) is not None and int(found[2] or 0) <= 1:
        wanted.add("md5")
    if _claimed_sha256(expected):
        wanted.add("sha256")
    elif any(_claimed_md5s(expected)):
        wanted.add("md5")
    return frozenset(wanted)


def verify(expected: ExpectedChecksum, digests: Digests, part_digest: Callable[[int], str]) -> VerifyResult:
    """Compare a file with what is claimed of it.

    The strongest evidence decides: a checksum that fits outweighs a size in a record that does not.
    A missing or unknown checksum only lowers the level. A `-N` checksum of unknown part size proves nothing when it
    does not match. `part_digest` gives the MD5 over the MD5s of all parts of a size, in hex.
    """
    other_size = expected.size is not None and expected.size != digests.size
    wrong_size = f"{digests.size} bytes arrived where {expected.size} were expected"
    if other_size and not expected.is_strong:
        return VerifyResult("", wrong_size)
    for check in (_by_checksum, _by_store):
        result = check(expected, digests, part_digest)
        if result is not None:
            return VerifyResult("", wrong_size) if other_size and not result.is_same else result
    if other_size:
        return VerifyResult("", wrong_size)
    found = _claimed_md5(expected)
    doubt = "the checksum from the service does not fit its bytes" if found is not None and found[2] == "1" else ""
    if expected.size is None:
        return VerifyResult("unverified", doubt=doubt)
    return VerifyResult("size+etag" if expected.etag else "size", doubt=doubt)


def part_digest(chunks: Iterable[bytes]) -> str:
    """MD5 over the MD5s of the parts, in hex."""
    digests = b"".join(hashlib.md5(chunk, usedforsecurity=False).digest() for chunk in chunks)
    return hashlib.md5(digests, usedforsecurity=False).hexdigest()


def _by_checksum(
    expected: ExpectedChecksum, digests: Digests, part_digest: Callable[[int], str]
) -> VerifyResult | None:
    found = _claimed_md5(expected)
    if found is None:
        return None
    md5, parts = found[1], int(found[2] or 0)
    if not parts:
        return _compare("md5", "MD5", md5, digests.md5)
    if parts == 1:
        single = hashlib.md5(bytes.fromhex(digests.md5), usedforsecurity=False).hexdigest()
        return VerifyResult("md5-1") if single == md5 else None
    fitting = (size for size in PART_SIZES if -(-digests.size // size) == parts)
    return VerifyResult("md5-N") if any(part_digest(size) == md5 for size in fitting) else None


def _by_store(expected: ExpectedChecksum, digests: Digests, _part_digest: Callable[[int], str]) -> VerifyResult | None:
    if sha256 := _claimed_sha256(expected):
        return _compare("store", "SHA-256", sha256, digests.sha256)
    for md5 in _claimed_md5s(expected):
        return _compare("store", "MD5", md5, digests.md5)
    return None


def _claimed_md5(expected: ExpectedChecksum) -> re.Match[str] | None:
    """What the record says."""
    return _md5_in(expected.checksum, expected.checksum_type)


@lru_cache(maxsize=64)
def _md5_in(checksum: str, checksum_type: str) -> re.Match[str] | None:
    """An MD5 in hex, also in the quotes of an ETag, or in base64 where it is certain to be one."""
    kind = checksum_type.upper().replace("-", "")
    if kind not in ("", "MD5"):
        return None
    claimed = checksum.strip().strip('"')
    return _MD5.fullmatch(claimed.lower()) or _MD5.fullmatch(_from_base64(claimed, 16) if kind else "")


def _claimed_sha256(expected: ExpectedChecksum) -> str:
    return _from_base64(expected.headers.get("x-amz-checksum-sha256", ""), 32)


def _claimed_md5s(expected: ExpectedChecksum) -> Iterator[str]:
    """What Google's store says, in hex."""
    for item in expected.headers.get("x-goog-hash", "").split(","):
        kind, _, value = item.strip().partition("=")
        if md5 := _from_base64(value, 16) if kind == "md5" else "":
            yield md5


def _compare(level: str, kind: str, expected: str, found: str) -> VerifyResult:
    if expected == found:
        return VerifyResult(level)
    return VerifyResult("", f"its {kind} is {found}, and the service says {expected}")


def _from_base64(text: str, length: int) -> str:
    """The digest in hex; empty unless it is one of `length` bytes (composite forms end with `-N`)."""
    if not text:
        return ""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return digest.hex() if len(digest) == length else ""


_ALGORITHMS = {"md5": hashlib.md5, "sha256": hashlib.sha256}


class Digester:
    """Length, and those of MD5 and SHA-256 that are wanted."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self.size = 0
        self._running = {name: _ALGORITHMS[name](usedforsecurity=False) for name in wanted}

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self.size += len(data)
        for running in self._running.values():
            running.update(data)

    def digests(self) -> Digests:
        """Of all bytes so far."""
        return Digests(self.size, **{name: running.hexdigest() for name, running in self._running.items()})


class Content:
    """The content of an open file. Every method reads it; `stop` ends that early."""

    def __init__(self, disk: Disk, descriptor: int, subject: Path, stop: Stop) -> None:
        self._disk = disk
        self._place = subject
        self._descriptor = descriptor
        self._stop = stop

    def digests(self, wanted: frozenset[str]) -> Digests:
        """Length and the digests asked for, of the whole file."""
        running = Digester(wanted)
        for chunk in self._pieces():
            running.update(chunk)
        return running.digests()

    def verify(self, expected: ExpectedChecksum, digests: Digests | None = None) -> VerifyResult:
        """Compare the file with what is claimed of the object; its digests are taken unless they are given."""
        return verify(expected, digests or self.digests(needed(expected)), self._part_digest)

    def _part_digest(self, size: int) -> str:
        return part_digest(self._parts(size))

    def _parts(self, size: int) -> Iterator[bytes]:
        """The file in pieces of exactly `size` bytes, but for the last."""
        part = bytearray()
        for piece in self._pieces():
            part += piece
            if len(part) >= size:
                yield bytes(part[:size])
                del part[:size]
        if part:
            yield bytes(part)

    def _pieces(self) -> Iterator[bytes]:
        offset = 0
        while True:
            self._stop.check()
            with os_errors_as(self._place):
                piece = self._disk.read(self._descriptor, CHUNK, offset)
            if not piece:
                return
            offset += len(piece)
            yield piece
