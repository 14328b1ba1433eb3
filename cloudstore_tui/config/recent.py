"""Where the user was: a file of places, the newest first."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock

import msgspec

from cloudstore_tui.core.location import Location
from cloudstore_tui.fs.private_file import write_private

FILE = "recent.json"
"""Its name in the folder for what must survive a restart."""
MOST = 50
"""Places; the newest one of each profile is kept besides."""
_LONGEST = 2_000
"""Characters of a path; a longer one is not kept."""
_LARGEST = 1_000_000
"""Bytes that are read of a file that something else has made larger."""


class _Known(msgspec.Struct, frozen=True, omit_defaults=True):
    profile: str
    region: str = ""
    path: str = ""
    place: tuple[str, ...] = ()


class RecentPlaces:
    """Folders and places, never what was searched for: filters hold names and numbers of people."""

    def __init__(self, path: Path | None = None, *, wanted: bool = True) -> None:
        """Keep the places in a file; without one they end with the program, and if not `wanted` none is kept."""
        if path is not None and not wanted:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._path = path if wanted else None
        self._wanted = wanted
        self._turn = Lock()
        self._known = self._read()

    @property
    def places(self) -> tuple[Location, ...]:
        """The newest first; none twice."""
        return tuple(self._known)

    def last(self, profiles: Iterable[str]) -> Location | None:
        """Where the user was last in one of these profiles."""
        wanted = frozenset(profiles)
        return next((location for location in self._known if location.profile in wanted), None)

    def add(self, location: Location) -> None:
        """Remember a place as the newest. Can be called from any thread.

        Raises:
            LocalDiskError: it cannot be written down; it is remembered until the program ends.
        """
        with self._turn:
            self._add(location)

    def _add(self, location: Location) -> None:
        size = len(location.path) + sum(map(len, location.place))
        if not self._wanted or size > _LONGEST or self._known[:1] == [location]:
            return
        # Read again: another browser may have added to it.
        known = self._read() if self._path else self._known
        self._known = _bounded([location, *(other for other in known if other != location)])
        if self._path is not None:
            told = [_Known(known.profile, known.region, known.path, known.place) for known in self._known]
            write_private(self._path, msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")

    def _read(self) -> list[Location]:
        if self._path is None:
            return []
        try:
            with self._path.open("rb") as file:
                told = msgspec.json.decode(file.read(_LARGEST), type=list[_Known])
        except (OSError, msgspec.MsgspecError):
            # Nobody is kept from working by a list of places; where it cannot be written, `add` says so.
            return []
        return _bounded(Location(known.profile, known.region, known.path, known.place) for known in told)


def _bounded(locations: Iterable[Location]) -> list[Location]:
    """The newest, and of each profile the newest one."""
    kept: list[Location] = []
    seen: set[str] = set()
    for number, location in enumerate(dict.fromkeys(locations)):
        if number < MOST or location.profile not in seen:
            kept.append(location)
        seen.add(location.profile)
    return kept
