"""Which member of a zip is which of the requested objects.

The service names members after the objects, and objects share names: transcript, summary and score of one call all
have the same. So a name only narrows the choice; size and content decide, and then the order of the request.
"""

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct, field

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.transfers.zip.contents import ZipMember

Names: TypeAlias = Callable[[str], Iterator[str]]
Digest: TypeAlias = Callable[[ZipMember], str]
"""MD5 of a member's content in hex; empty if it cannot be read."""

_MD5 = re.compile(r"[0-9a-f]{32}(-1)?")
_NUMBERED = re.compile(r" ?\(\d{1,5}\)(?=(\.[^.()]*)?$)")
_BREAKS = re.compile(r"[/\\:]")


class Matching(Struct):
    """The members that were recognised, and what is left of both."""

    members: dict[int, ZipMember] = field(default_factory=dict)
    """The members by the position of their object in the request."""
    missing: tuple[int, ...] = ()
    """Positions of objects that have no member."""
    extra: tuple[ZipMember, ...] = ()
    """Members that were not requested."""


def match(wanted: Sequence[StoredObject], members: Sequence[ZipMember], digest: Digest) -> Matching:
    """Match objects and members, always in the same way.

    Equal names come first, then names with `:` written as another character, then the last parts of names, then names
    that were numbered because they were taken. A member whose name says nothing is recognised by size and content.
    """
    matcher = _Matcher(wanted, members, digest)
    for strict in (True, False):
        for names in (_exact, _without_colons, _last_part, _not_numbered):
            matcher.by_name(names, strict=strict)
        if strict:
            matcher.by_content()
    return matcher.result()


class _Matcher:
    """The objects and members that are not matched yet, in their order."""

    def __init__(self, wanted: Sequence[StoredObject], members: Sequence[ZipMember], digest: Digest) -> None:
        self._wanted = dict(enumerate(wanted))
        self._members = {member.index: member for member in members}
        self._digest = digest
        self._known: dict[int, str] = {}
        self._found: dict[int, ZipMember] = {}

    def by_name(self, names: Names, *, strict: bool) -> None:
        """Match those that share a form of their name; `strict` leaves those alone whose size or content differs."""
        indexes: dict[str, list[int]] = defaultdict(list)
        for index, member in self._members.items():
            for name in names(member.name):
                indexes[name].append(index)
        if not indexes:
            return
        positions: dict[str, list[int]] = defaultdict(list)
        for position, entry in self._wanted.items():
            for name in _exact(entry.name) if names is _not_numbered else names(entry.name):
                if name in indexes:
                    positions[name].append(position)
        for name, with_name in positions.items():
            self._pair(with_name, indexes[name], strict=strict)

    def by_content(self) -> None:
        """Match those that have the same size and MD5, whatever they are called."""
        self._pair_same(list(self._wanted), list(self._members))

    def result(self) -> Matching:
        """What was found."""
        return Matching(self._found, tuple(self._wanted), tuple(self._members.values()))

    def _pair(self, positions: list[int], indexes: list[int], *, strict: bool) -> None:
        positions = [position for position in positions if position in self._wanted]
        indexes = [index for index in indexes if index in self._members]
        if strict:
            for size, of_size in self._by_size(positions).items():
                left = [index for index in indexes if index in self._members]
                self._pair_alike(of_size, [i for i in left if size is None or self._members[i].size == size])
            return
        for position, index in zip(positions, indexes, strict=False):
            self._take(position, index)

    def _by_size(self, positions: list[int]) -> dict[int | None, list[int]]:
        """Objects by their exact size; those of unknown size come last."""
        groups: dict[int | None, list[int]] = defaultdict(list)
        for position in positions:
            entry = self._wanted[position]
            groups[entry.size if entry.size_exact else None].append(position)
        if None in groups:
            groups[None] = groups.pop(None)
        return groups

    def _pair_alike(self, positions: list[int], indexes: list[int]) -> None:
        """Match those with the same name and size, by content or else by their order."""
        if len(positions) == 1 == len(indexes):
            self._take(positions[0], indexes[0])
            return
        self._pair_same(positions, indexes)
        silent = [
            position for position in positions if position in self._wanted and not _expected(self._wanted[position])
        ]
        left = [index for index in indexes if index in self._members]
        for position, index in zip(silent, left, strict=False):
            self._take(position, index)

    def _pair_same(self, positions: list[int], indexes: list[int]) -> None:
        """Match by size and checksum. Only members that have the size of an object are read."""
        claims = {position: (self._wanted[position].size, _expected(self._wanted[position])) for position in positions}
        sizes = {size for size, expected in claims.values() if expected}
        same: dict[tuple[int | None, str], deque[int]] = defaultdict(deque)
        for index in indexes:
            size = self._members[index].size
            for checksum in self._checksums(index) if size in sizes else ():
                same[size, checksum].append(index)
        for position, key in claims.items():
            fitting = same.get(key)
            while fitting:
                index = fitting.popleft()
                if index in self._members:
                    self._take(position, index)
                    break

    def _checksums(self, index: int) -> tuple[str, ...]:
        """The checksums that an object may have if its content is that of a member."""
        if index not in self._known:
            self._known[index] = self._digest(self._members[index])
        md5 = self._known[index]
        if not md5:
            return ()
        of_one_part = hashlib.md5(bytes.fromhex(md5), usedforsecurity=False).hexdigest()
        return md5, f"{of_one_part}-1"

    def _take(self, position: int, index: int) -> None:
        del self._wanted[position]
        self._found[position] = self._members.pop(index)


def _expected(entry: StoredObject) -> str:
    """The checksum of an object; empty if it does not cover the whole content."""
    checksum = entry.checksum.strip().lower()
    return checksum if _MD5.fullmatch(checksum) else ""


def _exact(name: str) -> Iterator[str]:
    yield name


def _without_colons(name: str) -> Iterator[str]:
    """The name, and what it may become where `:` is not allowed."""
    yield name
    if ":" in name:
        yield from (name.replace(":", mark) for mark in "._-")


def _last_part(name: str) -> Iterator[str]:
    yield _BREAKS.split(name)[-1]


def _not_numbered(name: str) -> Iterator[str]:
    shorter = _NUMBERED.sub("", name)
    if shorter != name:
        yield shorter
