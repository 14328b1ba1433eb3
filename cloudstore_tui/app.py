"""The application: connects transfers, providers, settings and screens."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import tzinfo
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec.structs import replace
from rich.segment import Segments
from rich.text import Text
from textual import events, on
from textual.actions import ActionParseResult
from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import WorkerFailed

from cloudstore_tui.archive.registry import FILE as ARCHIVES
from cloudstore_tui.archive.registry import ArchiveRegistry
from cloudstore_tui.config.keymap import check_keymap
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.config.themes import load_themes
from cloudstore_tui.core.errors import CRASHED, StorageError, crash_sentence
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.text import plain
from cloudstore_tui.deletions import FILE as DELETIONS
from cloudstore_tui.deletions import DeletionLog
from cloudstore_tui.fs.temporary import remove_left
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.restores import FILE as RESTORES
from cloudstore_tui.state.memory import BrowserState, ThemeChoice
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.ui.keys import known_bindings
from cloudstore_tui.ui.mask import MASK, mask_filters
from cloudstore_tui.ui.report import Boundary, Messages, install_boundary, is_of_callback, notify_plain
from cloudstore_tui.ui.restore_watch import RestoreWatch
from cloudstore_tui.ui.screens.home import HomeChoice, HomeScreen, Target
from cloudstore_tui.ui.terminal.driver import LowBandwidthDriver, TerminalDriver, ignore, is_low_bandwidth, listen
from cloudstore_tui.ui.text import install_guard
from cloudstore_tui.ui.themes import ThemeManager, wants_no_colour
from cloudstore_tui.ui.transfer_watch import INTERVAL, LOW_BANDWIDTH_INTERVAL, TransferWatch
from cloudstore_tui.ui.type_ahead import TypeAhead
from cloudstore_tui.ui.widgets.chrome import Header

if TYPE_CHECKING:
    from cloudstore_tui.ui.browser.screen import BrowserScreen
    from cloudstore_tui.ui.screens.setup import SetupController

DOUBLE_PRESS_S = 1.0
"""Seconds within which a second Ctrl+C quits."""
MASKED = (
    "Names, numbers and links are masked on this screen. What you copy, download or save is not. M shows them again."
)
UNMASKED = "Names, numbers and links are shown again."


class CloudStoreApp(App[None]):
    """Connects providers, transfers and settings to the screens, and owns the keys that work on all of them."""

    TITLE = "cloudstore"
    CSS = "Screen { scrollbar-size-vertical: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,f10", "quit", "Quit", id="app.quit", tooltip="End the program; asks if needed"),
        Binding("ctrl+q", "quit", "Quit", id="app.leave", show=False, priority=True, tooltip="End the program"),
        Binding("question_mark,f1", "help", "Help", id="app.help", tooltip="Keys that work here"),
        Binding(
            "ctrl+p,colon,f9",
            "command_palette",
            "Everything",
            id="app.palette",
            tooltip="Find an action by its name",
        ),
        Binding("ctrl+c", "interrupt", "Stop", id="app.interrupt", show=False, tooltip="Stop loading; twice quits"),
        Binding("M", "mask", "Mask", id="app.mask", show=False, tooltip="Mask people's names and numbers"),
        Binding("ctrl+n", "setup('add')", "Add a profile", id="app.add_profile", show=False, tooltip="Add a profile"),
        Binding(
            "exclamation_mark",
            "setup('check')",
            "Check everything",
            id="app.doctor",
            show=False,
            tooltip="Diagnose problems and suggest fixes",
        ),
        Binding(
            "less_than_sign", "messages", "Messages", id="app.messages", show=False, tooltip="Show earlier messages"
        ),
        Binding("tilde", "home", "Home", id="app.home", show=False, tooltip="Where to go, and what waits"),
        Binding("ctrl+l", "redraw", "Redraw", id="app.redraw", show=False, tooltip="Redraw"),
        Binding("ctrl+z", "suspend_process", "Suspend", id="app.suspend", show=False, tooltip="Back to the shell"),
    ]

    def __init__(
        self,
        engine: EngineThread,
        config: Config,
        *,
        start: Location | None = None,
        download_dir: Path | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> None:
        """Set everything up; nothing is started yet.

        Args:
            engine: holds the providers and runs the transfers.
            config: settings and keys.
            start: opened first, instead of the last place.
            download_dir: overrides the download folder of the settings.
            meanwhile: runs in a thread of its own after the first frame.

        Raises:
            ConfigError: a key or template in the configuration is invalid.
            UnsafeError: remote text could reach the terminal as commands.
        """
        install_guard()
        install_boundary()
        MASK.on = config.settings.masked
        low_bandwidth = is_low_bandwidth(config.settings.low_bandwidth, os.environ)
        colourless = wants_no_colour()
        driver = LowBandwidthDriver if low_bandwidth else TerminalDriver
        super().__init__(driver, ansi_color=True if colourless else None)
        self.animation_level = "none"
        self.messages = Messages(self)
        self.boundary = Boundary(self)
        """Catches every error that nothing else handles."""
        self._recent_commands: list[str] = []
        self._browser: BrowserScreen | None = None
        self._type_ahead = TypeAhead(
            self,
            lambda: self._browser is not None and self._browser.is_opening,
            lambda key: self._browser is not None and self._browser.is_early(key),
        )
        if config.keys:
            self.set_keymap(check_keymap(config.keys, known_bindings(type(self)), subject=str(config.path)))
        # On a slow connection, fetch only what the user asked for.
        settings = replace(config.settings, preview_in_detail=config.settings.preview_in_detail and not low_bandwidth)
        interval = LOW_BANDWIDTH_INTERVAL if low_bandwidth else INTERVAL
        self.transfers = TransferWatch(self, engine, bell=settings.bell, interval=interval)
        self._state_folder = state_folder() if engine.keeps else None
        """Holds what outlives this run; `None` in the demo, which keeps nothing."""
        choice = ThemeChoice(settings.theme, self._state_file(ThemeChoice.FILE))
        self.themes = ThemeManager(self, load_themes(config.path.parent / "themes"), choice, colourless=colourless)
        self._interrupted = 0.0
        if download_dir is not None:
            settings = replace(settings, download_dir=download_dir)
        with suppress(OSError):  # the current folder may have been removed
            # What goes there may be resumed by a browser that starts elsewhere.
            settings = replace(settings, download_dir=settings.download_dir.absolute())
        self._engine, self._config, self._settings, self._start = engine, config, settings, start
        self.browser_state = BrowserState()
        self.browser_state.keep(config.path.parent, self._state_folder, settings)
        self.restores = RestoreWatch(
            self,
            engine.providers,
            self.transfers,
            settings.download_dir,
            settings.restore_poll_seconds,
            # The demo's list goes with the demo.
            self._state_file(RESTORES) or config.path.parent / RESTORES,
        )
        self.archives = ArchiveRegistry(self._state_file(ARCHIVES))
        self.home = HomeScreen(
            self._profiles,
            self._is_searchable,
            self.browser_state,
            self.transfers,
            self.restores,
            self.archives,
            settings.time_zone,
        )
        """The bottom of the screen stack."""
        self._meanwhile = meanwhile
        self.wants_demo = False
        """Whether the user chose to try the demo, which starts after this run."""

    @property
    def _zone(self) -> tzinfo:
        """The time zone of the screen, which the browser can switch."""
        return self._browser.listing.zone if self._browser is not None else self._settings.time_zone

    def _state_file(self, name: str) -> Path | None:
        return self._state_folder / name if self._state_folder is not None else None

    @cached_property
    def setup(self) -> "SetupController":
        """Created on first use, as few sessions need it."""
        from cloudstore_tui.ui.screens.setup import SetupController

        return SetupController(self, self._engine, PROVIDERS, self._config.path, self._settings.download_dir)

    @property
    def browser(self) -> "BrowserScreen":
        """Created on first use, so that home is shown sooner."""
        if self._browser is None:
            # Deferred: it imports most of the program.
            from cloudstore_tui.archive.template import CallFolder
            from cloudstore_tui.ui.browser.screen import BrowserScreen

            settings = self._settings
            call_folder = CallFolder(settings.call_folder, settings.time_zone)
            self._browser = browser = BrowserScreen(
                self._engine.providers,
                self.transfers,
                settings,
                call_folder.path,
                self.browser_state,
                self.restores,
                self.archives,
                DeletionLog(self._state_file(DELETIONS)),
            )
            # Installed screens keep their state while home is shown.
            self.install_screen(browser, "browser")
        return self._browser

    async def browse(self, target: Target | None = None) -> None:
        """Show the browser, and open a profile, place or search in it."""
        browser = self.browser
        if browser not in self.screen_stack:
            await self.push_screen(browser)
        if target is not None:
            browser.begin_at(target)

    def get_default_screen(self) -> Screen[Any]:
        return self.home

    async def on_mount(self) -> None:
        """Handle signals, follow transfers, and report what is wrong with the configuration."""
        if not self.is_headless:
            listen(
                asyncio.get_running_loop(),
                lambda code: self.exit(return_code=code),
                outlives_terminal=self._settings.on_hangup == "continue",
            )
        self.themes.report_failures()
        self.call_after_refresh(self.restores.begin)
        # Temporary copies that an earlier run could not remove.
        self.run_worker(remove_left, thread=True)
        self.transfers.begin()
        if self._meanwhile is not None:
            # Not a worker: the program must not wait for it on exit.
            background = threading.Thread(target=self._run_in_background, args=(self._meanwhile,), daemon=True)
            self.call_after_refresh(background.start)
        # Import the rest of the program while the user looks at home.
        importer = threading.Thread(target=import_module, args=("cloudstore_tui.ui.browser.screen",), daemon=True)
        self.call_after_refresh(importer.start)
        start = self._start or self.browser_state.last(self._engine.providers)
        if start is not None:
            await self.browse()
            # Draw the first frame before the first request.
            self.browser.call_after_refresh(self.browser.navigator.begin, start)

    def on_unmount(self) -> None:
        self.transfers.end()
        if not self.is_headless:
            ignore(asyncio.get_running_loop())

    async def action_quit(self) -> None:
        """Quit; ask first if transfers or deletions are running."""
        from cloudstore_tui.ui.dialogs.questions import QuitDialog

        if isinstance(self.screen, QuitDialog):
            return
        # Do not ask because of a transfer that has just ended.
        self.transfers.poll_all()
        running, deleting = self.transfers.unfinished, self._browser.deletions.running if self._browser else 0
        if running or deleting:
            dialog = QuitDialog(running, keeps=self.transfers.engine.keeps, deleting=deleting)
            self.push_screen(dialog, lambda wanted: self.exit() if wanted else None)
        else:
            self.exit()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,  # noqa: ARG002  # a message stays until the next key
        markup: bool = True,  # noqa: ARG002  # messages are plain text
    ) -> None:
        """Show a sentence in the message line; Textual's toasts would cover the list."""
        self.messages.add(f"{title}: {message}" if title else message, severity)

    async def on_event(self, event: events.Event) -> None:
        """Handle keys one by one, so that each finds the line or dialog that the previous one opened."""
        is_typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        if is_typed and not self.screen_stack:
            # The program is ending.
            return
        if is_typed and not self._type_ahead.lets_through(event):
            return
        if isinstance(event, events.Key | events.MouseDown) and not event.is_forwarded:
            self.messages.on_input()
        if isinstance(event, events.Key) and not event.is_forwarded and self._browser is not None:
            self._browser.dismiss_result(event.key)
        await super().on_event(event)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action; report its errors instead of raising them."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:  # noqa: BLE001  # the boundary reports it
            self._type_ahead.discard()
            self.boundary.catch(error)
            return True

    def get_line_filters(self) -> Sequence[LineFilter]:
        return (*super().get_line_filters(), *mask_filters())

    def action_command_palette(self) -> None:
        from cloudstore_tui.ui.palette import open_palette

        open_palette(self, self._recent_commands)

    def action_help(self) -> None:
        from cloudstore_tui.ui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen.active_bindings.values()))

    def action_messages(self) -> None:
        from cloudstore_tui.ui.dialogs.dialog import MessageDialog

        zone = self._zone
        lines = [f"{notice.at.astimezone(zone):%H:%M:%S}  {notice.text}" for notice in reversed(self.messages.kept)]
        self.push_screen(MessageDialog("Messages", "\n".join(lines) or "No messages yet."))

    def action_transfers(self) -> None:
        from cloudstore_tui.ui.screens.transfers import TransfersScreen

        self.push_screen(TransfersScreen(self.transfers, self._zone))

    def action_setup(self, what: str) -> None:
        """Open the checks, or the form for a new profile."""
        if what == "check":
            self.run_worker(self.setup.check(), group="setup", exclusive=True)
        elif self.transfers.engine.keeps:
            self.run_worker(self._add_profile(), group="setup", exclusive=True)
        else:
            notify_plain(self, "Profiles can't be saved in the demo. Quit (q) and run: cloudstore profile add")

    def action_home(self) -> None:
        """Close all screens above home; the browser keeps its state."""
        while self.screen is not self.home:
            if self.screen is self._browser:
                self.pop_screen()
            else:
                self.screen.dismiss(None)

    @on(HomeScreen.Left)
    async def leave_home(self, event: HomeScreen.Left) -> None:
        if event.target is HomeChoice.BACK:
            if self._browser is not None and self._browser.listing.state is not None:
                await self.browse()
        elif event.target is HomeChoice.DEMO:
            self.wants_demo = True
            self.exit()
        elif event.target is HomeChoice.GUIDE:
            self.run_worker(self.setup.guide(), group="setup", exclusive=True)
        elif event.target is HomeChoice.ADD:
            self.run_worker(self._add_profile(), group="setup", exclusive=True)
        else:
            await self.browse(event.target)

    async def _add_profile(self) -> None:
        profile = await self.setup.add()
        if profile is not None:
            self.browser.places.show_profiles()
            await self.browse(profile)
            notify_plain(self, f"{profile.name} can be used now.")

    def action_suspend_process(self) -> None:
        """Suspend, unless there is no shell to resume the program: a session leader, as under `ssh HOST cloudstore`."""
        if os.getpgrp() == os.getsid(0):
            notify_plain(self, "There is no shell to go back to.")
        else:
            super().action_suspend_process()

    def action_redraw(self) -> None:
        """Redraw everything, after another program wrote to the terminal or part of a frame was lost."""
        if isinstance(self._driver, TerminalDriver):
            self._driver.start_application_mode()

    def action_mask(self) -> None:
        """Mask names and numbers on all screens, or show them again."""
        MASK.on = not MASK.on
        for screen in self.screen_stack:
            for widget in [screen, *screen.walk_children(Widget)]:
                # Widgets that cache drawn text rebuild it on resize.
                widget.post_message(events.Resize(widget.size, widget.virtual_size, widget.container_size))
                widget.refresh()
        notify_plain(self, MASKED if MASK.on else UNMASKED)

    async def action_interrupt(self) -> None:
        """Stop loading; quit if pressed twice within a second."""
        now = time.monotonic()
        if now - self._interrupted < DOUBLE_PRESS_S:
            await self.action_quit()
            return
        self._interrupted = now
        if self._browser is None or not self._browser.stop():
            notify_plain(self, "Ctrl+C once more quits.")

    @on(Header.Opened)
    def follow_crumb(self, event: Header.Opened) -> None:
        if self.screen is not self.browser:
            self.screen.dismiss(None)
        self.browser.navigator.go(event.location)

    def _profiles(self) -> Sequence[Profile]:
        """All profiles, including those added in this run."""
        known = self._config.profiles
        return [known.get(name) or one.profile for name, one in self._engine.providers.items()]

    def _is_searchable(self, profile: Profile) -> bool:
        return any(spec.searchable for spec in PROVIDERS if spec.name == profile.provider)

    def _run_in_background(self, work: Callable[[], None]) -> None:
        try:
            work()
        except StorageError as error:
            with suppress(RuntimeError):  # the app has exited
                self.call_from_thread(self.boundary.catch, error)

    def _handle_exception(self, error: Exception) -> None:
        """Report errors of workers, timers and callbacks, for which Textual would end the program."""
        if isinstance(error, WorkerFailed) or is_of_callback(error):
            self._type_ahead.discard()
            self.boundary.catch(error)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Print one sentence: Textual's traceback would show local variables, which may hold secrets."""
        error = self._exception
        # A StorageError here is no crash: for example, the system refused to start a thread.
        self._return_code = error.code if isinstance(error, StorageError) else CRASHED
        sentence = plain(str(error)) if isinstance(error, StorageError) else crash_sentence(error)
        line = Text(sentence, overflow="fold")
        self._exit_renderables.append(Segments(list(self.console.render(line, self.console.options))))
        self._close_messages_no_wait()
