"""Going back through the filters that were sent before."""

from collections.abc import Sequence


class Recall:
    """A walk from the newest line to the oldest and back to what was being typed."""

    def __init__(self) -> None:
        self._lines: tuple[str, ...] = ()
        self._steps = 0
        self._draft = ""

    @property
    def is_back(self) -> bool:
        """Whether a line of the past is shown."""
        return self._steps > 0

    def older(self, lines: Sequence[str], text: str) -> str | None:
        """The line before the one that is shown, `None` at the oldest; `text` is what is typed now."""
        if not self._steps:
            self._lines, self._draft = tuple(line for line in lines if line != text), text
        if self._steps >= len(self._lines):
            return None
        self._steps += 1
        return self._lines[-self._steps]

    def newer(self) -> str | None:
        """The line after the one that is shown; after the newest what was being typed."""
        if not self._steps:
            return None
        self._steps -= 1
        return self._lines[-self._steps] if self._steps else self._draft

    def forget(self) -> None:
        """Begin at the newest again."""
        self._steps = 0


def matching(lines: Sequence[str], text: str) -> tuple[str, ...]:
    """The lines that hold all words of a text, the newest first; capitals do not matter."""
    words = text.casefold().split()
    return tuple(line for line in reversed(lines) if all(word in line.casefold() for word in words))
