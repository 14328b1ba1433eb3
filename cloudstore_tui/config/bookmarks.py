"""Bookmarks: a file beside the configuration that people can edit.

```toml
["reports of March"]
at = "acme:exports/reporting/"

[recordings]
at = "acme8:us-east/"
place = ["callcenterrecording", "2024", "09"]    # folders that only the browser has; may be left out
```
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cloudstore_tui.config.document import Document
from cloudstore_tui.config.named_tables import NamedTables
from cloudstore_tui.config.settings import read_options
from cloudstore_tui.config.toml_edit import with_table
from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.location import Location, split_address
from cloudstore_tui.core.profile import Option, OptionValue
from cloudstore_tui.fs.private_file import turn

FILE = "bookmarks.toml"
"""Its name in the folder of the configuration."""
LONGEST_NAME = 60
OPTIONS = (
    Option("at", "An address such as acme:exports/reporting/.", required=True),
    Option("place", "The folders below a region that only the browser has, outermost first.", type=tuple, default=()),
)
_NAME_CURE = f"Use one line of at most {LONGEST_NAME} characters."


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A place or an object with a name."""

    name: str
    at: str
    """The address, as on the command line."""
    place: tuple[str, ...] = ()
    """The virtual folders below it."""

    @classmethod
    def of(cls, name: str, location: Location) -> "Bookmark":
        """The bookmark of a location."""
        return cls(name, replace(location, place=()).address, location.place)

    @property
    def profile(self) -> str:
        """The profile it belongs to."""
        return self.at.partition(":")[0]

    @property
    def address(self) -> str:
        """As shown."""
        return "".join([self.at, *(f" › {name}" for name in self.place)])


class Bookmarks(NamedTables[Bookmark]):
    """The bookmarks of one file."""

    noun = "bookmark"

    def _items(self, document: Document) -> Mapping[str, Bookmark]:
        return _bookmarks(document)

    def _called(self, item: Bookmark, name: str) -> Bookmark:
        return replace(item, name=name)

    def _check_name(self, name: str) -> None:
        check_name(name)

    def save(self, bookmark: Bookmark) -> None:
        """Add a bookmark, or change the one of that name.

        Raises:
            UsageError: the name cannot be one.
            ConfigError: the file cannot be used as it is.
            LocalDiskError: the file cannot be written.
        """
        check_name(bookmark.name)
        values: dict[str, OptionValue] = {"at": bookmark.at}
        with turn(self.path):
            if bookmark.place or self._knows_place(bookmark.name):
                values["place"] = bookmark.place
            known = {**self.read(), bookmark.name: bookmark}
            self._change(known, bookmark.name, lambda text: with_table(text, (bookmark.name,), values))

    def _knows_place(self, name: str) -> bool:
        known = self.read().get(name)
        return known is not None and bool(known.place)


def check_name(name: str) -> None:
    """Refuse what cannot name a bookmark.

    Raises:
        UsageError: it cannot.
    """
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"{name[:LONGEST_NAME]!r} cannot name a bookmark", hint=_NAME_CURE)


def _bookmarks(document: Document) -> dict[str, Bookmark]:
    return {name: _bookmark(document, name) for name in document.values}


def _bookmark(document: Document, name: str) -> Bookmark:
    if not isinstance(document.values[name], dict):
        raise document.error(f"{name} must be a table", (name,), f'Write [{name}], and below it at = "…".')
    try:
        check_name(name)
        values = read_options(document, (name,), document.table(name), OPTIONS)
        split_address(str(values["at"]))
    except ConfigError:
        raise
    except UsageError as error:
        raise document.error(error.message, (name, "at"), error.hint) from None
    place = values["place"]
    return Bookmark(name, str(values["at"]), place if isinstance(place, tuple) else ())
