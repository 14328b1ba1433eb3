"""Names and values that were seen in loaded rows, to be offered where somebody types a filter."""

from collections import Counter
from collections.abc import Iterable

from cloudstore_tui.core.models import Entry, StoredObject
from cloudstore_tui.fiql.fields import Unit, unit_of

MAX_NAMES = 200
MAX_VALUES = 300
"""Of one name; whoever has more of them has to type."""
LONGEST = 80
"""Characters of a name or a value; longer ones are not offered."""


class Vocabulary:
    """What the rows of one profile hold, as far as it was seen and is worth offering."""

    def __init__(self) -> None:
        self._values: dict[str, Counter[str]] = {}

    def learn(self, entries: Iterable[Entry]) -> None:
        """Take in a page of rows."""
        for entry in entries:
            if isinstance(entry, StoredObject):
                for name, value in (("type", entry.type), ("mimeType", entry.mime), *entry.tags):
                    self._note(name, value)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of tags that were seen, in the order in which they came."""
        return tuple(self._values)

    def values(self, name: str) -> tuple[tuple[str, int], ...]:
        """The values that a field or tag was seen to have, and how often; the most frequent first."""
        return tuple(self._values.get(name, Counter()).most_common())

    def _note(self, name: str, value: str) -> None:
        seen = self._values.get(name)
        if seen is None:
            if not value or not _is_offered(name) or len(self._values) >= MAX_NAMES:
                return
            seen = self._values[name] = Counter()
        if value in seen:
            seen[value] += 1
        elif len(seen) < MAX_VALUES and _is_offered(value) and unit_of(name) is Unit.TEXT and name != "duration":
            seen[value] = 1


def _is_offered(text: str) -> bool:
    return bool(text) and len(text) <= LONGEST and text.isprintable()
