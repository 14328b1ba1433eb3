"""The filters that were sent from the bar: a text file, one a line, the newest last."""

from pathlib import Path

from cloudstore_tui.fs.private_file import write_private

FILE = "filters.txt"
"""Its name in the state folder."""
MOST_LINES = 500
LONGEST_LINE = 10_000
"""Characters; a longer filter is not kept."""

_LARGEST = 8_000_000
"""Bytes that are read of a file that something else has made larger."""


class FilterHistory:
    """Filters and phrases as they were typed. Several browsers may use the same file."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep the history in a file; without one it ends with the program."""
        self._path = path
        self._lines: list[str] = self._read() if path else []

    @property
    def lines(self) -> tuple[str, ...]:
        """The oldest first; none twice."""
        return tuple(self._lines)

    def add(self, text: str) -> None:
        """Remember a text as the newest.

        Raises:
            LocalDiskError: the file cannot be written; in this run the text is remembered all the same.
        """
        text = text.strip()
        if not text or len(text) > LONGEST_LINE or not text.isprintable():
            return
        # Read again: another browser may have added to it.
        known = self._read() if self._path else self._lines
        self._lines = [*(line for line in known if line != text), text][-MOST_LINES:]
        if self._path:
            write_private(self._path, "".join(f"{line}\n" for line in self._lines))

    def _read(self) -> list[str]:
        assert self._path is not None
        try:
            with self._path.open("rb") as file:
                data = file.read(_LARGEST)
        except OSError:
            # Nobody is kept from working by a history; where it cannot be written, `add` says so.
            return []
        lines = [line.strip() for line in data.decode("utf-8", "replace").split("\n")]
        kept = [line for line in lines if line and len(line) <= LONGEST_LINE and line.isprintable()]
        # Of two that are equal the later one counts.
        return list(dict.fromkeys(reversed(kept)))[:MOST_LINES][::-1]
