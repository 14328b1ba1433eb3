"""Bookmarks, and the kind of file that they and saved searches are kept in.

Such a file lies beside the configuration and has a table for each item, `[name]`. Users edit it, so a change leaves the
rest of the file as it is.

```toml
["reports of March"]
at = "acme:exports/reporting/"

[recordings]
at = "acme8:us-east/"
place = ["callcenterrecording", "2024", "09"]    # virtual folders of the browser; optional
```
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from cloudstore_tui.config.document import TomlDocument, with_name, with_table, without_table
from cloudstore_tui.config.settings import read_options
from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.models import Location, split_address
from cloudstore_tui.core.profile import OptionValue
from cloudstore_tui.core.spec import Option
from cloudstore_tui.fs.whole_file import turn, write_whole

Item = TypeVar("Item", bound=msgspec.Struct)

FILE = "bookmarks.toml"
"""Its name in the folder of the configuration."""
LONGEST_NAME = 60
OPTIONS = (
    Option("at", "An address such as acme:exports/reporting/.", required=True),
    Option("place", "The folders below a region that only the browser has, outermost first.", type=tuple, default=()),
)
_NAME_HINT = f"Use one line of at most {LONGEST_NAME} characters."


class NamedTables(ABC, Generic[Item]):
    """The items of one file. It is read again each time, because users edit it while the browser runs."""

    noun: ClassVar[str]
    """The word for one item."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep them in a file, or without one in memory."""
        self.path = path
        self._unkept: dict[str, Item] = {}

    @abstractmethod
    def _items(self, document: TomlDocument) -> Mapping[str, Item]:
        """The items of a document.

        Raises:
            ConfigError: the first error in it.
        """

    @abstractmethod
    def _check_name(self, name: str) -> None:
        """Check a name.

        Raises:
            UsageError: it is not allowed.
        """

    def read(self) -> Mapping[str, Item]:
        """All items by name, in the order of the file; empty if there is none.

        Raises:
            ConfigError: the first error in the file, with its line and a hint.
        """
        if self.path is None:
            return dict(self._unkept)
        return self._items(TomlDocument.read(self.path)) if self.path.exists() else {}

    def remove(self, name: str) -> None:
        """Remove an item, if it exists.

        Raises:
            ConfigError: the file has an error, or cannot be changed by this program.
            LocalDiskError: the file cannot be written.
        """
        with turn(self.path):
            known = dict(self.read())
            if known.pop(name, None) is not None:
                self._change(known, name, lambda text: without_table(text, (name,)))

    def rename(self, old: str, new: str) -> None:
        """Rename an item.

        Raises:
            UsageError: the new name is not allowed or taken.
            ConfigError: the file has an error, or cannot be changed by this program.
            LocalDiskError: the file cannot be written.
        """
        self._check_name(new)
        with turn(self.path):
            known = dict(self.read())
            if old == new or old not in known:
                return
            if new in known:
                raise UsageError(
                    f"there is a {self.noun} of that name already", subject=new, hint="Choose another name."
                )
            renamed = {(new if name == old else name): item for name, item in known.items()}
            renamed[new] = replace(renamed[new], name=new)
            self._change(renamed, old, lambda text: with_name(text, (old,), new))

    def _change(self, wanted: dict[str, Item], name: str, change: Callable[[str], str]) -> None:
        if self.path is None:
            self._unkept = wanted
            return
        # Read as bytes, to keep the user's line ends.
        changed = change(self.path.read_bytes().decode() if self.path.exists() else "")
        # TOML can be written in more ways than `change` understands; then the file is left alone.
        if self._items(TomlDocument.parse(self.path, changed)) != wanted:
            raise ConfigError(f"{name} cannot be changed here", subject=str(self.path), hint="Change it in the file.")
        write_whole(self.path, changed, follows=True)


class Bookmark(msgspec.Struct, frozen=True):
    """A named place or object."""

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
        """The name of its profile."""
        return self.at.partition(":")[0]

    @property
    def address(self) -> str:
        """The address as shown, with the virtual folders."""
        return "".join([self.at, *(f" › {name}" for name in self.place)])


class Bookmarks(NamedTables[Bookmark]):
    """The bookmarks of one file."""

    noun = "bookmark"

    def _items(self, document: TomlDocument) -> Mapping[str, Bookmark]:
        return {name: _bookmark(document, name) for name in document.values}

    def _check_name(self, name: str) -> None:
        check_name(name)

    def save(self, bookmark: Bookmark) -> None:
        """Add a bookmark, or replace the one with its name.

        Raises:
            UsageError: the name is not allowed.
            ConfigError: the file has an error, or cannot be changed by this program.
            LocalDiskError: the file cannot be written.
        """
        check_name(bookmark.name)
        values: dict[str, OptionValue] = {"at": bookmark.at}
        with turn(self.path):
            known = self.read()
            if bookmark.place or (bookmark.name in known and known[bookmark.name].place):
                values["place"] = bookmark.place
            new = {**known, bookmark.name: bookmark}
            self._change(new, bookmark.name, lambda text: with_table(text, (bookmark.name,), values))


def check_name(name: str) -> None:
    """Check the name of a bookmark.

    Raises:
        UsageError: it is not allowed.
    """
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"{name[:LONGEST_NAME]!r} cannot name a bookmark", hint=_NAME_HINT)


def _bookmark(document: TomlDocument, name: str) -> Bookmark:
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
