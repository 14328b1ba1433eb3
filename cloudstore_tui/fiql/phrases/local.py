"""Conditions that the service cannot check: they are put to the rows that were fetched."""

from dataclasses import dataclass

from cloudstore_tui.core.text import folded
from cloudstore_tui.fiql.evaluator import Row


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with stars for anything; neither capitals nor the way accents are encoded matter."""

    parts: tuple[str, ...]
    """The texts between the stars."""

    def matches(self, text: str) -> bool:
        """Whether a whole text is like it; in time that grows with its length only."""
        text, parts = folded(text), [folded(part) for part in self.parts]
        if len(parts) == 1:
            return text == parts[0]
        first, *middle, last = parts
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        position, end = len(first), len(text) - len(last)
        for part in middle:
            found = text.find(part, position, end)
            if found < 0:
                return False
            position = found + len(part)
        return True

    def __str__(self) -> str:
        return "*".join(self.parts)


@dataclass(frozen=True, slots=True)
class LocalTerm:
    """One condition on fetched rows."""

    fields: tuple[str, ...]
    """Fields and tags of which one must match."""
    patterns: tuple[Pattern, ...]
    """Any of them will do."""
    negated: bool = False

    def holds(self, row: Row) -> bool:
        """Whether a row meets it; a row without the field meets only a negation."""
        values = [str(row[name]) for name in self.fields if name in row]
        return any(pattern.matches(value) for value in values for pattern in self.patterns) != self.negated

    def __str__(self) -> str:
        words = " or ".join(_words(pattern, negated=self.negated) for pattern in self.patterns)
        return f"{' or '.join(self.fields)} {words}"


def _words(pattern: Pattern, *, negated: bool) -> str:
    parts = pattern.parts
    if len(parts) == 3 and not parts[0] and not parts[2]:
        return f"{'does not contain' if negated else 'contains'} {parts[1]!r}"
    return f"is {'not ' if negated else ''}like {str(pattern)!r}"
