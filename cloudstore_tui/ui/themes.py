"""Themes: which one is used, and from theme files to what Textual wants."""

import os
from collections.abc import Mapping
from typing import Any

from textual.app import App
from textual.color import Color
from textual.theme import Theme as TextualTheme

from cloudstore_tui.config.themes import Theme, Themes
from cloudstore_tui.state.memory import ThemeChoice
from cloudstore_tui.ui.report import notify_plain, report

COLOURLESS = "monochrome"
"""What is used where NO_COLOR is set: a cursor made of colours could not be seen."""


def wants_no_colour() -> bool:
    """Whether the user set NO_COLOR; an empty value means nothing, as https://no-color.org has it."""
    return bool(os.environ.get("NO_COLOR"))


class ThemeManager:
    """Sets the theme of the app, at the start and when another one is picked."""

    def __init__(self, app: App[None], themes: Themes, choice: ThemeChoice, *, colourless: bool = False) -> None:
        """Use the theme to begin with."""
        self._app = app
        self._themes = themes
        self._choice = choice
        self.colourless = colourless
        self._wanted = COLOURLESS if colourless else choice.theme
        if self._wanted in themes.loaded:
            self.use(self._wanted)

    @property
    def names(self) -> tuple[str, ...]:
        """The themes that can be picked: ours and the user's."""
        return (COLOURLESS,) if self.colourless else tuple(sorted(self._themes.loaded))

    def use(self, name: str) -> None:
        """Use another theme for now."""
        # Only what is used: deriving what a theme leaves open takes a millisecond for each.
        if name in self._themes.loaded:
            self._app.register_theme(textual_theme(self._themes.loaded[name]))
        self._app.theme = name

    def pick(self, name: str) -> None:
        """Use another theme, now and next time.

        Raises:
            LocalDiskError: next time it will be the old one.
        """
        self.use(name)
        self._choice.keep(name)

    def report_failures(self) -> None:
        """Say which theme files could not be used."""
        for error in self._themes.failed:
            report(self._app, error)
        if self._wanted not in self._themes.loaded:
            notify_plain(self._app, f"There is no theme {self._wanted}. There are: {', '.join(self.names)}.", "warning")


_MISSING: Mapping[str, str] = {
    "ansi-background": "$background",
    "ansi-foreground": "$foreground",
    "surface-active": "$surface",
}
"""What Textual's own style sheets use but its themes of sixteen colours do not fill in."""


_QUIET: Mapping[str, str] = {
    **dict.fromkeys(("scrollbar", "scrollbar-hover"), "border-blurred"),
    **dict.fromkeys(("scrollbar-background", "scrollbar-background-hover", "scrollbar-corner-color"), "background"),
    "scrollbar-active": "border",
    "scrollbar-background-active": "background",
}
"""What Textual would draw in the colour of the focus, and what it is drawn in here."""


_SHADES: Mapping[str, float] = {"text-muted": 0.85, "text-disabled": 0.7}
"""How much of the text's own colour is in quieter text. Textual would leave that to what is behind it, which is not
known where a list is drawn line by line."""


def textual_theme(theme: Theme) -> TextualTheme:
    """The theme as Textual wants it; whatever the file leaves open, Textual derives from its colours."""
    plain = {name: value for name, value in theme.variables.items() if not value.startswith("$")}
    derived = _make(theme, plain).to_color_system().generate()
    plain = {name: _shade(derived, part) for name, part in _SHADES.items() if name not in theme.variables} | plain
    plain = {name: derived[like] for name, like in _QUIET.items() if name not in theme.variables} | plain
    known = derived | plain
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


def _shade(known: Mapping[str, str], part: float) -> str:
    """The text's colour, nearer to the background; of the terminal's own colours nobody knows what lies between."""
    text, ground = known["foreground"], known["background"]
    if text.startswith("ansi_") or ground.startswith("ansi_"):
        return text
    return Color.parse(ground).blend(Color.parse(text), part).hex


def _make(theme: Theme, variables: dict[str, str]) -> TextualTheme:
    colours: dict[str, Any] = {**theme.colours}
    return TextualTheme(name=theme.name, dark=theme.dark, ansi=theme.ansi, variables=variables, **colours)
