"""One word of a phrase, taken apart: `-agent:"Khang Glynn"` is negated, has the key `agent` and one value."""

from dataclasses import dataclass, field

from cloudstore_tui.core.errors import FilterError


@dataclass(frozen=True, slots=True)
class Value:
    """What somebody looks for, without quotes and escapes."""

    parts: tuple[str, ...]
    """The texts between the stars; one where there is no star."""
    quoted: bool
    start: int
    """Offset in the phrase."""

    @property
    def text(self) -> str:
        """The value as one text."""
        return "*".join(self.parts)

    @property
    def wild(self) -> bool:
        """Whether a star in it stands for anything."""
        return len(self.parts) > 1


@dataclass(frozen=True, slots=True)
class Item:
    """One condition of a phrase."""

    key: str
    """The word before the colon; empty for a text alone."""
    operator: str
    """`>`, `>=`, `<`, `<=`, `!=`, `~` (contains), or nothing."""
    values: tuple[Value, ...]
    """At least one: any of them will do."""
    start: int
    phrase: str = field(repr=False)
    """The whole phrase."""
    negated: bool = False

    def error(self, message: str, hint: str, position: int | None = None) -> FilterError:
        """What is wrong with it, at its start or at a position of the phrase."""
        return wrong(self.phrase, self.start if position is None else position, message, hint)


def wrong(phrase: str, position: int, message: str, hint: str) -> FilterError:
    """The error for a phrase that is wrong at a position."""
    return FilterError(f"{message} (at character {position + 1})", text=phrase, position=position, hint=hint)
