"""Bookmarks: a file beside the configuration that people can edit.

```toml
["reports of March"]
at = "acme:exports/reporting/"

[recordings]
at = "acme8:us-east/"
place = ["callcenterrecording", "2024", "09"]    # folders that only the browser has; may be left out
```
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cloudstore_tui.config.document import Document
from cloudstore_tui.config.private_file import write_private
from cloudstore_tui.config.settings import read_options
from cloudstore_tui.config.tables import with_name, with_table, without_table
from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.core.location import Location, split_address
from cloudstore_tui.core.profile import Option

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


class Bookmarks:
    """The bookmarks of one file. It is read again each time: people edit it while the browser runs."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep the bookmarks in a file; without one they end with the program."""
        self.path = path
        self._unkept: dict[str, Bookmark] = {}

    def read(self) -> Mapping[str, Bookmark]:
        """All bookmarks by name, as in the file; a file that does not exist holds none.

        Raises:
            ConfigError: the first thing in it that cannot be used, with file, line and cure.
        """
        if self.path is None:
            return dict(self._unkept)
        return _bookmarks(Document.read(self.path)) if self.path.exists() else {}

    def save(self, bookmark: Bookmark) -> None:
        """Add a bookmark, or change the one of that name.

        Raises:
            UsageError: the name cannot be one.
            ConfigError: the file cannot be used as it is.
            LocalDiskError: the file cannot be written.
        """
        check_name(bookmark.name)
        lines = {"at": _text(bookmark.at)}
        if bookmark.place or self._knows_place(bookmark.name):
            lines["place"] = f"[{', '.join(map(_text, bookmark.place))}]"
        self._change(
            {**self.read(), bookmark.name: bookmark}, bookmark.name, lambda text: with_table(text, bookmark.name, lines)
        )

    def remove(self, name: str) -> None:
        """Forget a bookmark; one that is not there is forgotten already.

        Raises:
            ConfigError: the file cannot be used as it is.
            LocalDiskError: the file cannot be written.
        """
        known = dict(self.read())
        if known.pop(name, None) is not None:
            self._change(known, name, lambda text: without_table(text, name))

    def rename(self, old: str, new: str) -> None:
        """Give a bookmark another name.

        Raises:
            UsageError: the name cannot be one, or is another one's.
            ConfigError: the file cannot be used as it is.
            LocalDiskError: the file cannot be written.
        """
        check_name(new)
        known = dict(self.read())
        if old == new or old not in known:
            return
        if new in known:
            raise UsageError("there is a bookmark of that name already", place=new, cure="Choose another name.")
        renamed = {(new if name == old else name): mark for name, mark in known.items()}
        renamed[new] = replace(renamed[new], name=new)
        self._change(renamed, old, lambda text: with_name(text, old, new))

    def _knows_place(self, name: str) -> bool:
        known = self.read().get(name)
        return known is not None and bool(known.place)

    def _change(self, wanted: dict[str, Bookmark], name: str, change: Callable[[str], str]) -> None:
        if self.path is None:
            self._unkept = wanted
            return
        text = self.path.read_text("utf-8-sig") if self.path.exists() else ""
        changed = change(text)
        # People write TOML in more ways than are known here: what cannot be changed is left alone.
        if _bookmarks(Document(self.path, changed)) != wanted:
            raise ConfigError(f"{name} cannot be changed here", place=str(self.path), cure="Change it in the file.")
        write_private(self.path, changed)


def check_name(name: str) -> None:
    """Refuse what cannot name a bookmark.

    Raises:
        UsageError: it cannot.
    """
    if not name.strip() or name != name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"{name[:LONGEST_NAME]!r} cannot name a bookmark", cure=_NAME_CURE)


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
        raise document.error(error.cause, (name, "at"), error.cure) from None
    place = values["place"]
    return Bookmark(name, str(values["at"]), place if isinstance(place, tuple) else ())


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
