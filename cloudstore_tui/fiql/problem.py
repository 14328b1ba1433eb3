"""One thing that is, or looks, wrong with a filter that parses."""

from dataclasses import dataclass

from cloudstore_tui.fiql.fields import KNOWN_FIELDS


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is, or looks, wrong."""

    position: int
    """Offset of the first character it is about."""
    text: str
    """What is wrong: a clause without capital or full stop."""
    hint: str
    """What to do: a whole sentence."""
    fatal: bool = False
    """Whether the filter must not be sent as it is."""
    corrected: str | None = None
    """The whole filter with every fatal problem mended, where that is possible."""

    @property
    def sentence(self) -> str:
        """What is wrong and what to do; names keep their letters."""
        first = self.text.split(" ", 1)[0]
        is_word = first.islower() and first.isalpha() and first not in KNOWN_FIELDS
        return f"{self.text[:1].upper() if is_word else self.text[:1]}{self.text[1:]}. {self.hint}".rstrip()
