"""The columns that the user chose for lists of some kind, in a file of their own."""

from pathlib import Path
from typing import TypeAlias

import msgspec

from cloudstore_tui.fs.private_file import write_private

FILE = "columns.json"
"""Its name in the folder for what must survive a restart."""

_MOST_COLUMNS = 60
_WIDEST = 200


class Shown(msgspec.Struct, frozen=True):
    """One column that is shown."""

    name: str
    """A field or a tag."""
    width: int
    """Cells."""


Layout: TypeAlias = tuple[Shown, ...]


class Layouts:
    """The choice for each kind of list. Several browsers may run: the file is read again before it is changed."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep the choices in a file; without one they end with the program."""
        self._path = path
        self._known = self._read()

    def of(self, kind: str) -> Layout:
        """What was chosen for a kind of list; empty if nothing was."""
        return self._known.get(kind, ())

    def keep(self, kind: str, layout: Layout) -> None:
        """Remember a choice; an empty one forgets it.

        Raises:
            LocalDiskError: it could not be written; it holds until the program ends.
        """
        self._known = self._known | self._read() | {kind: layout}
        if not layout:
            del self._known[kind]
        if self._path is not None:
            write_private(self._path, msgspec.json.format(msgspec.json.encode(self._known)).decode() + "\n")

    def _read(self) -> dict[str, Layout]:
        if self._path is None:
            return {}
        try:
            told = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Layout])
        except (OSError, msgspec.MsgspecError):
            # What cannot be read is only a matter of taste: the usual columns are shown.
            return {}
        return {kind: layout[:_MOST_COLUMNS] for kind, layout in told.items() if layout and all(map(_is_good, layout))}


def _is_good(column: Shown) -> bool:
    return bool(column.name) and 1 <= column.width <= _WIDEST
