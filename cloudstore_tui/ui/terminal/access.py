"""From the app to its terminal, for what Textual has no words for."""

from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.driver import Driver

from cloudstore_tui.ui.terminal.charset import UTF_8, key_in_charset
from cloudstore_tui.ui.terminal.driver import LowBandwidthDriver, TerminalDriver


def driver_of(app: App[Any]) -> Driver | None:
    """What draws for the app, if it runs."""
    return app._driver  # noqa: SLF001 - Textual offers no public way to the terminal


def key_display(app: App[Any], binding: Binding) -> str:
    """The key of a binding, in signs that this terminal has."""
    return keys_in_words(app, app.get_key_display(binding))


def keys_in_words(app: App[Any], hint: str) -> str:
    """A hint such as `⏎ search`, with words for the keys whose signs this terminal lacks."""
    driver = driver_of(app)
    return key_in_charset(hint, driver.charset if isinstance(driver, TerminalDriver) else UTF_8)


def show_alone(app: App[Any], text: str, hint: str) -> bool:
    """Leave the terminal to a text, and below it a hint, until the next key; whether there is a terminal for it."""
    driver = driver_of(app)
    if not isinstance(driver, TerminalDriver):
        return False
    driver.show_alone(f"{text}\n\n{hint}")
    return True


def spares_the_line(app: App[Any]) -> bool:
    """Whether nothing is to be fetched or drawn that nobody asked for."""
    return issubclass(app.driver_class, LowBandwidthDriver)
