"""Which theme the browser wears: the configured one, the one picked since, or none of its colours."""

import os
from collections.abc import Mapping

from textual.app import App

from cloudstore_tui.config.themes import Themes
from cloudstore_tui.state.memory import ThemeChoice
from cloudstore_tui.ui.report import report, tell
from cloudstore_tui.ui.theming import textual_theme

COLOURLESS = "monochrome"
"""What is worn where NO_COLOR is set: a cursor made of colours could not be seen."""


def wants_no_colour(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the user set NO_COLOR; an empty value means nothing, as https://no-color.org has it."""
    return bool(environment.get("NO_COLOR"))


class Looks:
    """Dresses the app, and again when another theme is picked."""

    def __init__(self, app: App[None], themes: Themes, choice: ThemeChoice, *, colourless: bool = False) -> None:
        """Register the themes and put on the one to begin with."""
        self._app = app
        self._themes = themes
        self._choice = choice
        self.colourless = colourless
        self._wanted = COLOURLESS if colourless else choice.theme
        for theme in themes.loaded.values():
            app.register_theme(textual_theme(theme))
        if self._wanted in themes.loaded:
            app.theme = self._wanted

    @property
    def names(self) -> tuple[str, ...]:
        """The themes that can be picked: ours and the user's."""
        return (COLOURLESS,) if self.colourless else tuple(sorted(self._themes.loaded))

    def pick(self, name: str) -> None:
        """Use another theme, now and next time.

        Raises:
            LocalDiskError: next time it will be the old one.
        """
        self._app.theme = name
        self._choice.keep(name)

    def complain(self) -> None:
        """Say which theme files could not be used."""
        for error in self._themes.failed:
            report(self._app, error)
        if self._wanted not in self._themes.loaded:
            tell(self._app, f"There is no theme {self._wanted}. There are: {', '.join(self.names)}.", "warning")
