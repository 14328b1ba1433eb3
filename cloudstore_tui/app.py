"""The browser as an application: puts the parts together."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Protocol

from rich.segment import Segment, Segments
from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.worker import WorkerFailed

from cloudstore_tui.config.history import FILE as FILTERS
from cloudstore_tui.config.history import FilterHistory
from cloudstore_tui.config.keymap import check_keymap
from cloudstore_tui.config.layouts import FILE as COLUMNS
from cloudstore_tui.config.layouts import Layouts
from cloudstore_tui.config.load import Config
from cloudstore_tui.config.locations import state_folder
from cloudstore_tui.config.searches import FILE as SEARCHES
from cloudstore_tui.config.searches import SavedSearches
from cloudstore_tui.config.themes import load_themes
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.pulls.call_folder import CallFolder
from cloudstore_tui.ui.crash import crash_sentence
from cloudstore_tui.ui.dialogs.interrupted_dialog import InterruptedDialog, Remains
from cloudstore_tui.ui.dialogs.message_dialog import MessageDialog
from cloudstore_tui.ui.dialogs.quit_dialog import QuitDialog
from cloudstore_tui.ui.keys import known_bindings
from cloudstore_tui.ui.palette import ActionCommands
from cloudstore_tui.ui.report import report, tell
from cloudstore_tui.ui.screens.browser import BrowserScreen
from cloudstore_tui.ui.screens.help import HelpScreen
from cloudstore_tui.ui.signals import ignore, listen
from cloudstore_tui.ui.text import install_guard
from cloudstore_tui.ui.theming import textual_theme
from cloudstore_tui.ui.transfer_text import describe, title_text
from cloudstore_tui.ui.transfer_watch import Transfers, TransferWatch
from cloudstore_tui.ui.widgets.transfer_keys import TransferKeys

CRASHED = 70
"""Exit code after an error of our own."""

_TWICE = 1.0
"""Seconds within which a second Ctrl+C quits."""


class Backstage(Transfers, Protocol):
    """What carries out everything that takes long, in a thread of its own."""

    @property
    def providers(self) -> Mapping[str, StorageProvider]:
        """The providers by profile; their methods can be awaited here."""


class CloudStoreApp(App[None]):
    """Wires providers, transfers and settings to the browser; owns what is the same on every screen."""

    TITLE = "cloudstore"
    CSS_PATH = Path(__file__).parent / "ui" / "base.tcss"
    DEFAULT_MODE = "browser"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionCommands}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,f10", "quit", "Quit", id="app.quit", tooltip="End the program; asks if transfers run"),
        Binding("ctrl+q", "quit", "Quit", id="app.leave", show=False, priority=True, tooltip="End the program"),
        Binding("question_mark,f1", "help", "Help", id="app.help", tooltip="Show the keys that work here"),
        Binding(
            "ctrl+p,colon,f9",
            "command_palette",
            "Commands",
            id="app.palette",
            show=False,
            tooltip="Find an action by its name",
        ),
        Binding(
            "ctrl+c",
            "interrupt",
            "Stop",
            id="app.interrupt",
            show=False,
            tooltip="Stop what loads; twice within a second quits",
        ),
        Binding("ctrl+z", "suspend_process", "Suspend", id="app.suspend", show=False, tooltip="Back to the shell"),
    ]

    def __init__(
        self, backstage: Backstage, config: Config, *, start: Location | None = None, download_dir: Path | None = None
    ) -> None:
        """Make the app.

        Args:
            backstage: the providers, and what runs the transfers.
            config: settings and keys.
            start: where to begin, instead of with the places.
            download_dir: where downloads go, instead of where the settings say.

        Raises:
            ConfigError: a key or template of the configuration that cannot be used.
            UnsafeError: remote text could reach the terminal as commands.
        """
        install_guard()
        super().__init__()
        self.animation_level = "none"
        self._keys = check_keymap(config.keys, known_bindings(type(self))) if config.keys else {}
        self._themes = load_themes(config.path.parent / "themes")
        settings = config.settings
        self._theme_wanted = settings.theme
        for theme in self._themes.loaded.values():
            self.register_theme(textual_theme(theme))
        if settings.theme in self._themes.loaded:
            self.theme = settings.theme
        self._watch = TransferWatch(self, backstage, bell=settings.bell)
        self._interrupted = 0.0
        self._outlives_terminal = settings.on_hangup == "continue"
        if download_dir is not None:
            settings = replace(settings, download_dir=download_dir)
        call_folder = CallFolder(settings.call_folder, settings.time_zone)
        self.browser = BrowserScreen(backstage.providers, self._watch, settings, call_folder.path, start)
        history = FilterHistory(state_folder() / FILTERS if self._watch.keeps else None)
        self.browser.entries.bar.remember(history, SavedSearches(config.path.parent / SEARCHES))
        self.browser.entries.layouts = Layouts(state_folder() / COLUMNS if self._watch.keeps else None)
        self.add_mode(self.DEFAULT_MODE, lambda: self.browser)

    def on_mount(self) -> None:
        """Take the user's keys, listen to signals, and say what of the configuration could not be used."""
        self.set_keymap(self._keys)
        if not self.is_headless:
            listen(asyncio.get_running_loop(), self._end, outlives_terminal=self._outlives_terminal)
        for error in self._themes.failed:
            report(self, error)
        if self._theme_wanted not in self._themes.loaded:
            known = ", ".join(self._themes.loaded)
            tell(self, f"There is no theme {self._theme_wanted}. There are: {known}.", "warning")
        if self._watch.keeps:
            self.run_worker(self._offer_interrupted())

    def on_unmount(self) -> None:
        """Leave signals to whoever comes next."""
        if not self.is_headless:
            ignore(asyncio.get_running_loop())

    async def action_quit(self) -> None:
        """End the program, if nothing is lost by it or the user wants it all the same."""
        if isinstance(self.screen, QuitDialog):
            return
        running, deleting = self._watch.unfinished, self.browser.deletion.running
        if running or deleting:
            self.push_screen(QuitDialog(running, keeps=self._watch.keeps, deleting=deleting), self._quit_if)
        else:
            self.exit()

    def action_help(self) -> None:
        """Show the keys that work where the user is."""
        self.push_screen(HelpScreen(self.screen.active_bindings.values()))

    async def action_interrupt(self) -> None:
        """Stop what loads; the second time within a second, quit."""
        now = time.monotonic()
        if now - self._interrupted < _TWICE:
            await self.action_quit()
            return
        self._interrupted = now
        if not self.browser.stop():
            tell(self, "Ctrl+C once more quits.")

    @on(TransferKeys.Paused)
    def pause_transfer(self, event: TransferKeys.Paused) -> None:
        """Let a transfer rest."""
        self._watch.pause(event.id)

    @on(TransferKeys.Resumed)
    async def resume_transfer(self, event: TransferKeys.Resumed) -> None:
        """Go on with a transfer."""
        await self._watch.resume(event.id)

    @on(TransferKeys.Cancelled)
    async def cancel_transfer(self, event: TransferKeys.Cancelled) -> None:
        """Stop a transfer."""
        await self._watch.cancel(event.id)

    @on(TransferKeys.Retried)
    def retry_transfer(self, event: TransferKeys.Retried) -> None:
        """Try a transfer again."""
        self._watch.retry(event.id)

    @on(TransferKeys.Cleared)
    def clear_transfers(self) -> None:
        """Take all that ended off the list."""
        self._watch.clear_ended()

    @on(TransferKeys.Opened)
    def show_transfer(self, event: TransferKeys.Opened) -> None:
        """Show everything about a transfer."""
        members = self._watch.members(event.transfer.id)
        self.push_screen(MessageDialog(title_text(event.transfer), describe(event.transfer, members)))

    async def _offer_interrupted(self) -> None:
        """Ask what becomes of transfers that an earlier run left behind."""
        try:
            left = await self._watch.interrupted()
        except StorageError as error:
            report(self, error)
            return
        if not left:
            return
        numbers = [transfer.id for transfer in left]
        answer = await self.push_screen_wait(InterruptedDialog(left))
        if answer is Remains.RESUME:
            await self._watch.adopt(numbers)
        elif answer is Remains.DROP:
            await self._watch.drop(numbers)

    def _quit_if(self, wanted: bool | None) -> None:
        if wanted:
            self.exit()

    def _end(self, code: int) -> None:
        self.exit(return_code=code)

    def _fatal_error(self) -> None:
        """Say that it was our fault, without the values that the default would print: they may be secrets."""
        self._return_code = CRASHED
        error = self._exception
        cause = error.error if isinstance(error, WorkerFailed) else error
        self._exit_renderables.append(Segments([Segment(crash_sentence(cause)), Segment.line()]))
        self._close_messages_no_wait()
