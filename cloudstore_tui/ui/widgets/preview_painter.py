"""What a row of a preview is put together from."""

from collections.abc import Iterator
from itertools import pairwise

from cloudstore_tui.ui.widgets.preview_rows import PreviewRow, PreviewRows, after_cells
from cloudstore_tui.ui.widgets.preview_search import PreviewSearch

Part = tuple[str, tuple[str, ...]]
"""Some text, and the roles that say how it looks."""


class PreviewPainter:
    """Cuts rows into parts that look alike."""

    def __init__(self, rows: PreviewRows, search: PreviewSearch) -> None:
        self.numbers = False
        """Whether lines are numbered."""
        self.playhead: int | None = None
        """The column of a waveform that is heard now."""
        self._rows = rows
        self._search = search

    @property
    def gutter(self) -> int:
        """Cells before the text."""
        return 2 + self._digits

    def parts(self, row: PreviewRow, left: int | None, *, at: bool) -> Iterator[Part]:
        """The parts of a row: from its own characters, or from a column of the line that is not wrapped."""
        line, text = self._rows.document.lines[row.line], self._rows.text(row.line)
        is_folded = row.line in self._rows.folded
        fold = ("▸" if is_folded else "▾") if line.last and not row.start else " "
        number = f"{row.line + 1:>{self._digits - 1}} " if self.numbers and not row.start else " " * self._digits
        yield f"{'›' if at else ' '}{number}{fold}", ("gutter",)
        yield " " * row.indent, ()
        start, end = (row.start, row.end) if left is None else (after_cells(text, left), len(text))
        spans = [] if is_folded else list(line.roles)
        spans += self._search.spans(text)
        first, behind, _ = self._rows.document.wave
        if self.playhead is not None and first <= row.line < behind:
            # A silent column has nothing to be drawn on.
            text, end = text.ljust(self.playhead + 1), max(end, self.playhead + 1)
            spans.append((self.playhead, self.playhead + 1, "playhead"))
        edges = {edge for first, last, _ in spans for edge in (first, last) if start < edge < end}
        for first, last in pairwise(sorted({start, end} | edges)):
            yield text[first:last], tuple(role for begin, stop, role in spans if begin <= first < stop)

    @property
    def _digits(self) -> int:
        return len(str(len(self._rows.document.lines))) + 1 if self.numbers else 0
