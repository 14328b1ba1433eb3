"""From theme files to the themes Textual uses."""

from collections.abc import Mapping

from textual.theme import Theme as TextualTheme

from cloudstore_tui.config.themes import Theme

_MISSING: Mapping[str, str] = {
    "ansi-background": "$background",
    "ansi-foreground": "$foreground",
    "surface-active": "$surface",
}
"""What Textual's own style sheets use but its themes of sixteen colours do not fill in."""


def textual_theme(theme: Theme) -> TextualTheme:
    """The theme as Textual wants it; whatever the file leaves open, Textual derives from its colours."""
    plain = {name: value for name, value in theme.variables.items() if not value.startswith("$")}
    known = _make(theme, plain).to_color_system().generate() | plain
    references = {name: value for name, value in theme.variables.items() if value.startswith("$")}
    missing = {name: value for name, value in _MISSING.items() if name not in known}
    own = {name: value for name, value in {**missing, **references}.items() if name not in plain}
    return _make(theme, plain | {name: _resolve(value, own, known) for name, value in own.items()})


def _resolve(value: str, own: Mapping[str, str], known: Mapping[str, str]) -> str:
    """The value behind a `$name`; a name that nobody knows, or that leads to itself, is the text colour."""
    for _ in range(len(own) + 1):
        if not value.startswith("$"):
            return value
        name = value[1:]
        value = own.get(name) or known.get(name, "$foreground")
    return known["foreground"]


def _make(theme: Theme, variables: dict[str, str]) -> TextualTheme:
    colours = theme.colours
    return TextualTheme(
        name=theme.name,
        primary=colours["primary"],
        secondary=colours.get("secondary"),
        warning=colours.get("warning"),
        error=colours.get("error"),
        success=colours.get("success"),
        accent=colours.get("accent"),
        foreground=colours.get("foreground"),
        background=colours.get("background"),
        surface=colours.get("surface"),
        panel=colours.get("panel"),
        dark=theme.dark,
        variables=variables,
        ansi=theme.ansi,
    )
