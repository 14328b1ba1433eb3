"""Which part of which line is on which row, with wrapping and folding."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from cloudstore_tui.preview.render import RenderedDocument
from cloudstore_tui.ui.mask import MASK

_LEAST = 20
"""Cells that a wrapped line gets at least after it is moved in."""


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row on the screen."""

    line: int
    start: int
    """Characters of the line from here …"""
    end: int
    """… to here."""
    indent: int = 0


class PreviewRows:
    """The rows of a document; `arrange` makes them anew."""

    def __init__(self) -> None:
        self.document = RenderedDocument(())
        self.folded: set[int] = set()
        self.rows: list[PreviewRow] = []

    def show(self, document: RenderedDocument) -> None:
        """Take another document, folded as it wants to be."""
        self.document, self.folded = document, set(document.folded)

    def arrange(self, width: int, *, wrap: bool) -> None:
        """Lay all lines out; a width of 0 means that nothing is drawn yet."""
        self.rows = []
        for number in self._visible():
            text = self.text(number)
            if not wrap or width < _LEAST or (len(text) <= width and text.isascii()):
                self.rows.append(PreviewRow(number, 0, len(text)))
            else:
                self.rows.extend(self._wrapped(number, text, width))

    def text(self, number: int) -> str:
        """What is shown of a line."""
        line = self.document.lines[number]
        # Masked as a whole: a name that is wrapped could not be known from its halves.
        return MASK.text(line.folded if number in self.folded else line.text)

    def row_of(self, number: int) -> int:
        """The first row of a line, or of the one it is folded into."""
        found = 0
        for place, row in enumerate(self.rows):
            if row.line > number:
                break
            if row.line != self.rows[found].line:
                found = place
        return found

    def toggle(self, number: int) -> bool:
        """Fold or unfold a line, or what it is in; whether there was anything to fold."""
        holder = self.holder(number)
        if holder is None:
            return False
        self.folded ^= {holder}
        return True

    def reveal(self, number: int) -> bool:
        """Unfold everything that hides a line; whether anything did."""
        hiding = {fold for fold in self.folded if fold < number <= self.document.lines[fold].last}
        self.folded -= hiding
        return bool(hiding)

    def holder(self, number: int) -> int | None:
        """The line that is folded with this one: itself, or the nearest around it."""
        for candidate in range(number, -1, -1):
            last = self.document.lines[candidate].last
            if last and last >= number:
                return candidate
        return None

    def _visible(self) -> Iterator[int]:
        number, lines = 0, self.document.lines
        while number < len(lines):
            yield number
            number = lines[number].last + 1 if number in self.folded else number + 1

    def _wrapped(self, number: int, text: str, width: int) -> Iterator[PreviewRow]:
        hang = self.document.lines[number].hang
        hang = hang if hang <= width - _LEAST else 0
        start, room, indent = 0, width, 0
        while start < len(text):
            end = start + _fitting(text[start : start + room], room)
            if end < len(text) and (blank := text.rfind(" ", start + 1, end + 1)) > start and text[start:blank].strip():
                end = blank
            yield PreviewRow(number, start, end, indent)
            start = end + 1 if text[end : end + 1] == " " else end
            room, indent = width - hang, hang
        if not text:
            yield PreviewRow(number, 0, 0)


def _fitting(text: str, width: int) -> int:
    """How many characters fit into cells."""
    if text.isascii() or cell_len(text) <= width:
        return len(text)
    return max(len(chop_cells(text, width)[0]), 1)


def after_cells(text: str, cells: int) -> int:
    """How many characters are in the first cells of a text."""
    if not cells or text.isascii():
        return min(cells, len(text))
    width = 0
    for place, character in enumerate(text):
        if width >= cells:
            return place
        width += cell_len(character)
    return len(text)
