"""The panes that the user hid."""

from pathlib import Path

import msgspec

from cloudstore_tui.fs.private_file import write_private

FILE = "hidden.json"
"""Its name in the folder for what must survive a restart."""


class HiddenPanes:
    """Names of panes, in a file of their own."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep them in a file; without one they end with the program."""
        self._path = path
        self._names = self._read()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def keep(self, name: str, *, hidden: bool) -> None:
        """Remember whether a pane is hidden.

        Raises:
            LocalDiskError: it could not be written; it holds until the program ends.
        """
        if hidden == (name in self._names):
            return
        self._names = self._names | {name} if hidden else self._names - {name}
        if self._path is not None:
            write_private(self._path, msgspec.json.encode(sorted(self._names)).decode() + "\n")

    def _read(self) -> frozenset[str]:
        if self._path is None:
            return frozenset()
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=frozenset[str])
        except (OSError, msgspec.MsgspecError):
            # What cannot be read is only a matter of taste: everything is shown.
            return frozenset()
