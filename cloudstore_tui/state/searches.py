"""Saved searches: a file beside the configuration that users can edit.

```toml
[yesterday]
find = "type:calls since:yesterday queue:?queue"
profile = "acme8"        # the only profile it is for; optional
region = "us-east"       # the default region; optional
```

`?queue` is a placeholder, whose value is asked for each time.
"""

import re
from collections.abc import Mapping

import msgspec

from cloudstore_tui.config.document import TomlDocument, with_table
from cloudstore_tui.config.settings import read_options
from cloudstore_tui.core.errors import FilterError, UsageError
from cloudstore_tui.core.spec import Option
from cloudstore_tui.fs.whole_file import turn
from cloudstore_tui.state.bookmarks import NamedTables

FILE = "searches.toml"
"""Its name in the folder of the configuration."""
SIGN = "@"
"""The prefix of a search's name where it is used."""
OPTIONS = (
    Option("find", "A filter in FIQL or a phrase, with placeholders such as ?queue.", required=True),
    Option("profile", "The only profile it is for.", default=""),
    Option("region", "The default region.", default=""),
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_GIVEN = re.compile(
    r"""(?P<name>[A-Za-z][\w-]*)=(?P<value>"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|[^\s"']+)(?=\s|\Z)|\S+"""
)
_NAME_HINT = "Use letters, digits, - and _, at most 40."
_PARTS = re.compile(
    r"""(?:(?<=[\s:=<>~(,-])|\A)(?:"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*')|"""
    r"(?<=[:=<>~(,])\?(?P<name>[A-Za-z][A-Za-z0-9_-]{0,31})(?![^\s,;)])"
)
"""A quoted text, which has no placeholders, or a placeholder in the position of a value."""


class SavedSearch(msgspec.Struct, frozen=True):
    """A named filter or phrase."""

    name: str
    find: str
    profile: str = ""
    """The only profile it is for; empty for any."""
    region: str = ""
    """The default region; empty for all."""

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of its placeholders, each once."""
        return tuple(dict.fromkeys(placeholder.name for placeholder in placeholders_of(self.find)))

    def is_for(self, profile: str, region: str = "") -> bool:
        """Whether it can be used in a profile and a region; without a region, in any of them."""
        return self.profile in ("", profile) and (not region or self.region in ("", region))


class SavedSearches(NamedTables[SavedSearch]):
    """The searches of one file."""

    noun = "search"

    def _items(self, document: TomlDocument) -> Mapping[str, SavedSearch]:
        return _searches(document)

    def _check_name(self, name: str) -> None:
        check_name(name)

    def named(self, name: str) -> SavedSearch:
        """The search with a name, which may have the prefix.

        Raises:
            UsageError: there is none.
            ConfigError: the file has an error.
        """
        known, name = self.read(), name.removeprefix(SIGN)
        if name in known:
            return known[name]
        hint = f"Saved: {', '.join(known)}." if known else "Ctrl+S in the bar of the browser saves one."
        raise UsageError(f"no search is saved as {name!r}", subject=str(self.path or ""), hint=hint)

    def save(self, name: str, find: str, *, profile: str = "", region: str = "") -> None:
        """Save a filter or a phrase; the rest of the file stays as it is.

        Args:
            name: of the search.
            find: the filter or phrase.
            profile: the only profile it is for; if empty, an earlier one is kept.
            region: the default region; if empty, an earlier one is kept.

        Raises:
            UsageError: the name is not allowed.
            ConfigError: the file has an error, or cannot be changed by this program.
            LocalDiskError: the file cannot be written.
        """
        check_name(name)
        if not find.strip() or not find.isprintable():
            raise UsageError("there is nothing to save", subject=f"{SIGN}{name}", hint="Type a filter first.")
        given = {"find": find, "profile": profile, "region": region}
        values = {key: value for key, value in given.items() if value}
        with turn(self.path):
            known = dict(self.read())
            old = known.get(name, SavedSearch(name, find))
            known[name] = SavedSearch(name, find, profile or old.profile, region or old.region)
            self._change(known, name, lambda text: with_table(text, (name,), values))


def check_name(name: str) -> None:
    """Check the name of a search.

    Raises:
        UsageError: it is not allowed.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a search", hint=_NAME_HINT)


def use(text: str, searches: SavedSearches) -> str:
    """The filter that `@name placeholder=value placeholder="two words"` means; other placeholders stay.

    Raises:
        UsageError: there is no such search or placeholder, or a value is malformed.
        ConfigError: the file has an error.
    """
    # Deferred, as below: listing searches needs no FIQL.
    from cloudstore_tui.fiql.syntax import plain

    name, _, rest = text.strip().partition(" ")
    values: dict[str, str] = {}
    for given in _GIVEN.finditer(rest):
        if given["name"] is None:
            hint = "After the name of a search come values: placeholder=value."
            raise UsageError(f"{given.group()} is not a value", subject=name, hint=hint)
        value = given["value"]
        values[given["name"]] = plain(value) if value[:1] in ('"', "'") else value
    return fill(searches.named(name).find, values, partly=True)


def _searches(document: TomlDocument) -> dict[str, SavedSearch]:
    return {name: _search(document, name) for name in document.values}


def _search(document: TomlDocument, name: str) -> SavedSearch:
    if not isinstance(document.values[name], dict):
        raise document.error(f"{name} must be a table", (name,), f'Write [{name}], and below it find = "…".')
    if not _NAME.fullmatch(name):
        raise document.error(f"{name!r} cannot name a search", (name,), _NAME_HINT)
    values = read_options(document, (name,), document.table(name), OPTIONS)
    texts = {key: str(value) for key, value in values.items()}
    if not texts["find"].strip() or not texts["find"].isprintable():
        raise document.error("find must be one line of text", (name, "find"), OPTIONS[0].help)
    return SavedSearch(name, **texts)


class Placeholder(msgspec.Struct, frozen=True):
    """One occurrence of a placeholder."""

    name: str
    start: int
    end: int


def placeholders_of(text: str) -> tuple[Placeholder, ...]:
    """The placeholders of a filter or phrase, from left to right; a name may occur twice."""
    return tuple(Placeholder(found["name"], *found.span()) for found in _PARTS.finditer(text) if found["name"])


def fill(text: str, values: Mapping[str, str], *, partly: bool = False) -> str:
    """Replace placeholders by values, which are quoted as needed. With `partly`, those without a value stay.

    Raises:
        UsageError: there is no placeholder for a value.
        FilterError: a placeholder has no value.
    """
    from cloudstore_tui.fiql.phrases import is_fiql, phrase_value
    from cloudstore_tui.fiql.syntax import quote

    placeholders = placeholders_of(text)
    names = list(dict.fromkeys(placeholder.name for placeholder in placeholders))
    for name in values:
        if name not in names:
            known = f"The placeholders are: {', '.join(names)}." if names else "It has no placeholders."
            raise UsageError(f"there is no placeholder {name}", subject=f"?{name}", hint=known)
    write = quote if is_fiql(text) else phrase_value
    parts, end = [], 0
    for placeholder in placeholders:
        if placeholder.name in values:
            parts += [text[end : placeholder.start], write(values[placeholder.name])]
            end = placeholder.end
        elif not partly:
            raise missing(text, placeholder)
    return "".join([*parts, text[end:]])


def missing(text: str, placeholder: Placeholder) -> FilterError:
    """The error for an unfilled placeholder."""
    message = f"fill in ?{placeholder.name} (at character {placeholder.start + 1})"
    return FilterError(message, text=text, position=placeholder.start)
