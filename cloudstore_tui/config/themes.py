"""Themes: files with the colours of the browser. Built-in themes and the user's have the same format."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from cloudstore_tui.config.document import TomlDocument
from cloudstore_tui.core.errors import ConfigError

COLOURS = (
    "primary",
    "secondary",
    "accent",
    "success",
    "warning",
    "error",
    "foreground",
    "background",
    "surface",
    "panel",
)
"""The colours that a theme may set; only `primary` is required."""

_SWITCHES = ("dark", "ansi")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_VARIABLE = re.compile(r"[a-z][a-z0-9-]{0,59}")
_COLOUR = re.compile(
    r"#[0-9a-f]{3}|#[0-9a-f]{6}"
    r"|ansi_(default|(bright_)?(black|red|green|yellow|blue|magenta|cyan|white))",
    re.IGNORECASE,
)
_STYLE_WORDS = frozenset({"none", "bold", "dim", "italic", "underline", "reverse", "not"})
_HINT = 'A colour is written "#rrggbb", "#rgb", or "ansi_cyan" for one of the terminal\'s sixteen.'


class Theme(msgspec.Struct, frozen=True):
    """A theme, read and checked."""

    name: str
    dark: bool
    """Whether it has light text on a dark background."""
    ansi: bool
    """Whether it uses the terminal's own colours, of which only the numbers are sent."""
    colours: Mapping[str, str]
    """The `COLOURS` that the file sets."""
    variables: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Details: a colour, a style (`bold reverse`), or another variable with `$` before its name."""


class Themes(msgspec.Struct, frozen=True):
    """All valid themes, and the errors of the others."""

    loaded: Mapping[str, Theme]
    failed: tuple[ConfigError, ...] = ()


def load_themes(user_folder: Path | None = None) -> Themes:
    """Read the built-in themes, then the user's, which replace built-in ones with the same name."""
    loaded: dict[str, Theme] = {}
    failed: list[ConfigError] = []
    folders = (builtin_folder(), user_folder) if user_folder else (builtin_folder(),)
    for path in _theme_files(folders):
        try:
            theme = read_theme(path)
        except ConfigError as error:
            failed.append(error)
        else:
            loaded[theme.name] = theme
    return Themes(loaded, tuple(failed))


def builtin_folder() -> Path:
    """The folder of the built-in themes: in the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "themes"
    return installed if installed.is_dir() else package.parent / "themes"


def read_theme(path: Path) -> Theme:
    """Read a theme file.

    Raises:
        ConfigError: it has an error, given with file, line and a hint.
    """
    document = TomlDocument.read(path)
    known = ("name", *_SWITCHES, *COLOURS, "variables")
    for key in document.values:
        if key not in known:
            raise document.unknown((key,), known)
    switches = {key: document.values.get(key, key == "dark") for key in _SWITCHES}
    for key, value in switches.items():
        if not isinstance(value, bool):
            raise document.error(f"{key} must be true or false", (key,))
    name = document.values.get("name", path.stem)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise document.error("name must be a name in quotes", ("name",), "Use a-z, 0-9 and -, at most 40.")
    colours = {key: _colour(document, key) for key in COLOURS if key in document.values}
    if "primary" not in colours:
        raise document.error("primary is missing", ("name",), _HINT)
    return Theme(name, bool(switches["dark"]), bool(switches["ansi"]), colours, _variables(document))


def _theme_files(folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*.toml"))]


def _colour(document: TomlDocument, key: str) -> str:
    value = document.values[key]
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        raise document.error(f"{key} must be a colour", (key,), _HINT)
    return value.lower()


def _variables(document: TomlDocument) -> dict[str, str]:
    table = document.table("variables")
    for key, value in table.items():
        if not _VARIABLE.fullmatch(key):
            raise document.error(f"{key!r} cannot name a variable", ("variables", key), "Use a-z, 0-9 and -.")
        if not isinstance(value, str) or not _is_value(value):
            raise document.error(f"{key} must be a colour, a style or a $name", ("variables", key), _HINT)
    return {key: str(value).lower() for key, value in table.items()}


def _is_value(value: str) -> bool:
    if value.startswith("$"):
        return bool(_VARIABLE.fullmatch(value[1:]))
    return bool(_COLOUR.fullmatch(value)) or (bool(value) and set(value.split()) <= _STYLE_WORDS)
