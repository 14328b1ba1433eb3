"""Themes: which one is in use, and how theme files become Textual themes."""

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
"""The theme used if NO_COLOR is set; it shows the cursor without colours."""


def wants_no_colour() -> bool:
    """Whether NO_COLOR is set; an empty value does not count, see https://no-color.org."""
    return bool(os.environ.get("NO_COLOR"))


class ThemeManager:
    """Sets the theme of the app, and remembers the user's choice."""

    def __init__(self, app: App[None], themes: Themes, choice: ThemeChoice, *, colourless: bool = False) -> None:
        """Apply the chosen theme."""
        self._app = app
        self._themes = themes
        self._choice = choice
        self.colourless = colourless
        self._wanted = COLOURLESS if colourless else choice.theme
        if self._wanted in themes.loaded:
            self.use(self._wanted)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the available themes, built-in ones and the user's."""
        return (COLOURLESS,) if self.colourless else tuple(sorted(self._themes.loaded))

    def use(self, name: str) -> None:
        """Apply a theme in this run only."""
        # Registered on use, as deriving the missing colours takes a millisecond per theme.
        if name in self._themes.loaded:
            self._app.register_theme(textual_theme(self._themes.loaded[name]))
        self._app.theme = name

    def pick(self, name: str) -> None:
        """Apply a theme and save the choice.

        Raises:
            LocalDiskError: the choice could not be saved.
        """
        self.use(name)
        self._choice.keep(name)

    def report_failures(self) -> None:
        """Report theme files that could not be read, and an unknown configured theme."""
        for error in self._themes.failed:
            report(self._app, error)
        if self._wanted not in self._themes.loaded:
            notify_plain(self._app, f"There is no theme {self._wanted}. There are: {', '.join(self.names)}.", "warning")


_MISSING: Mapping[str, str] = {
    "ansi-background": "$background",
    "ansi-foreground": "$foreground",
    "surface-active": "$surface",
}
"""Variables that Textual's style sheets use but its ANSI themes do not define."""


_QUIET: Mapping[str, str] = {
    **dict.fromkeys(("scrollbar", "scrollbar-hover"), "border-blurred"),
    **dict.fromkeys(("scrollbar-background", "scrollbar-background-hover", "scrollbar-corner-color"), "background"),
    "scrollbar-active": "border",
    "scrollbar-background-active": "background",
}
"""Quieter colours for what Textual draws in the colour of the focus."""


_SHADES: Mapping[str, float] = {"text-muted": 0.85, "text-disabled": 0.7}
"""Share of the text colour in quieter text. Textual uses transparency, which does not work in lists that are drawn line
by line."""


def textual_theme(theme: Theme) -> TextualTheme:
    """A Textual theme; colours that the file does not set are derived."""
    plain = {name: value for name, value in theme.variables.items() if not value.startswith("$")}
    derived = _make(theme, plain).to_color_system().generate()
    plain = {name: _shade(derived, part) for name, part in _SHADES.items() if name not in theme.variables} | plain
    plain = {name: derived[source] for name, source in _QUIET.items() if name not in theme.variables} | plain
    known = derived | plain
    references = {name: value for name, value in theme.variables.items() if value.startswith("$")}
    missing = {name: value for name, value in _MISSING.items() if name not in known}
    own = {name: value for name, value in {**missing, **references}.items() if name not in plain}
    return _make(theme, plain | {name: _resolve(value, own, known) for name, value in own.items()})


def _resolve(value: str, own: Mapping[str, str], known: Mapping[str, str]) -> str:
    """Resolve a `$name`; an unknown or circular one becomes the text colour."""
    for _ in range(len(own) + 1):
        if not value.startswith("$"):
            return value
        name = value[1:]
        value = own.get(name) or known.get(name, "$foreground")
    return known["foreground"]


def _shade(known: Mapping[str, str], part: float) -> str:
    """The text colour blended with the background; ANSI colours cannot be blended."""
    text, ground = known["foreground"], known["background"]
    if text.startswith("ansi_") or ground.startswith("ansi_"):
        return text
    return Color.parse(ground).blend(Color.parse(text), part).hex


def _make(theme: Theme, variables: dict[str, str]) -> TextualTheme:
    colours: dict[str, Any] = {**theme.colours}
    return TextualTheme(name=theme.name, dark=theme.dark, ansi=theme.ansi, variables=variables, **colours)
