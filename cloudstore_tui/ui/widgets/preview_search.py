"""The lines of a preview that hold what is searched."""

import re

from cloudstore_tui.preview.render import RenderedDocument

MOST_LINES = 10_000
MOST_IN_LINE = 100


class PreviewSearch:
    """Finds a text in lines. Small letters stand for large ones, too."""

    def __init__(self) -> None:
        self.lines: tuple[int, ...] = ()
        """Numbers of the lines, in order."""
        self._pattern: re.Pattern[str] | None = None

    def search(self, text: str, document: RenderedDocument) -> None:
        """Look for a text; nothing ends it."""
        flags = re.IGNORECASE if text == text.lower() else 0
        self._pattern = re.compile(re.escape(text), flags) if text else None
        self.look(document)

    def look(self, document: RenderedDocument) -> None:
        """Look for the same in other lines."""
        pattern, found = self._pattern, []
        if pattern is not None:
            found = [number for number, line in enumerate(document.lines) if pattern.search(line.text)]
        self.lines = tuple(found[:MOST_LINES])

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """Where in a line it is."""
        if self._pattern is None:
            return []
        found = zip(self._pattern.finditer(text), range(MOST_IN_LINE), strict=False)
        return [(match.start(), match.end(), "found") for match, _ in found]

    def from_line(self, line: int, step: int) -> int | None:
        """The next line from this one on, or the one before it; round the ends."""
        if not self.lines:
            return None
        if step < 0:
            return next((at for at in reversed(self.lines) if at < line), self.lines[-1])
        return next((at for at in self.lines if at >= line), self.lines[0])
