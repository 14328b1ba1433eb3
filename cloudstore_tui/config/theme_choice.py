"""The theme that was picked in the browser, in a file of its own: the configuration stays as the user wrote it."""

from pathlib import Path

import msgspec

from cloudstore_tui.fs.private_file import write_private

FILE = "theme.json"
"""Its name in the folder for what must survive a restart."""


class _Picked(msgspec.Struct, frozen=True):
    configured: str
    """What the configuration named when it was picked."""
    picked: str


class ThemeChoice:
    """Holds until the configuration names another theme than it did when this one was picked."""

    def __init__(self, configured: str, path: Path | None = None) -> None:
        """Keep the choice in a file; without one it ends with the program."""
        self._configured = configured
        self._path = path

    @property
    def theme(self) -> str:
        """The name of the theme to begin with."""
        if self._path is None:
            return self._configured
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Picked)
        except (OSError, msgspec.MsgspecError):
            # What cannot be read is only a matter of taste: the configured theme is shown.
            return self._configured
        return kept.picked if kept.configured == self._configured else self._configured

    def keep(self, picked: str) -> None:
        """Remember what was picked.

        Raises:
            LocalDiskError: it could not be written; it holds until the program ends.
        """
        if self._path is not None:
            write_private(self._path, msgspec.json.encode(_Picked(self._configured, picked)).decode() + "\n")
