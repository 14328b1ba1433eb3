"""The screen that shows the content of an object, and plays recordings."""

import asyncio
import os
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from cloudstore_tui.calls import title_of
from cloudstore_tui.config.secrets import child_environment
from cloudstore_tui.core.errors import StorageError, UnsupportedError
from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.preview.model import HEAD, MAX_HEAD, Preview, Table, Waveform
from cloudstore_tui.preview.render import how_much, joined, render
from cloudstore_tui.ui import format as words
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.clipboard import copy_text, is_local
from cloudstore_tui.ui.dialogs.links import ListenDialog, ListenWay, why_silent
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.object_actions import ObjectActions
from cloudstore_tui.ui.opening import kind_of
from cloudstore_tui.ui.report import notify_plain, record_message, report, sentence
from cloudstore_tui.ui.widgets.preview_view import PlayerBar, PreviewBar, PreviewView

if TYPE_CHECKING:
    from cloudstore_tui.preview.player import Player

_READING = "Reading… Esc stops"
_POLL_S = 0.5
"""Seconds between updates of what the service is waiting for."""
_MORE_FACTOR = 4
"""How many times as many bytes the key m reads."""


class PreviewScreen(BaseScreen[bool]):
    """Shows the beginning of an object. The result says whether to download it."""

    AUTO_FOCUS = "#preview"
    FOOTER = ("preview.play", "preview.download", "preview.more", "preview.search")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "more", "More", id="preview.more", tooltip="Read more bytes"),
        Binding("slash", "search", "Search", id="preview.search", tooltip="Search in what is shown"),
        Binding("y", "copy('line')", "Copy", id="preview.copy", tooltip="Copy the line under the cursor"),
        Binding("Y", "copy('all')", "Copy all", id="preview.copy_all", show=False, tooltip="Copy everything shown"),
        Binding("d", "download", "Download", id="preview.download", tooltip="Download this file"),
        Binding("e,P", "play", "Play", id="preview.play", tooltip="Listen to it; again pauses and goes on"),
        Binding("left_square_bracket", "skip(-10)", "−10 s", id="preview.rewind", tooltip="Ten seconds back"),
        Binding("right_square_bracket", "skip(10)", "+10 s", id="preview.forward", tooltip="Ten seconds forward"),
        Binding("s", "speed", "Speed", id="preview.speed", tooltip="Playback speed: 1×, 1.25×, 1.5×, 2×"),
        Binding("enter", "jump", "Listen from here", id="preview.jump", tooltip="Play from this line"),
        # For sound, `e` plays, as in the lists; F4 opens a copy of it.
        Binding("e,f4", "open", "Open", id="preview.open", tooltip="Open a copy in another program"),
        Binding("escape", "back", "Back", id="preview.back", show=False, tooltip="Stop reading, or close this"),
        Binding("q,p,f3", "close", "Close", id="preview.close", tooltip="Back to where you were"),
    ]

    def __init__(self, entry: StoredObject, actions: ObjectActions, *, listens: bool = False) -> None:
        """With `listens`, playback starts as soon as the preview is shown."""
        super().__init__()
        self._entry = entry
        self._listens = listens
        self._player: Player | None = None
        self._transcript: Preview | None = None
        self._followed = -1
        """The line being spoken while the cursor follows playback; -1 before playback."""
        self._actions = actions
        self._look_into = actions.look_into(entry)
        self._preview: Preview | None = None
        self._wanted = HEAD
        self._state = ""
        self._wait = ""
        self.view = PreviewView(id="preview")
        self.bar = PreviewBar(id="search")
        self.playing = PlayerBar(id="playing")

    def compose(self) -> ComposeResult:
        yield self.view
        yield self.playing
        yield self.bar

    def on_mount(self) -> None:
        self._read(HEAD)

    def on_resize(self) -> None:
        if self._preview is not None and isinstance(self._preview.body, Waveform):
            self._redraw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "more":
            return self._preview is not None and self._preview.is_partial
        if action == "play":
            return kind_of(self._entry) == "audio"
        if action in ("skip", "speed"):
            return self._player is not None
        if action == "jump":
            return self._player is not None and self._turn_at(self.view.line) is not None
        return super().check_action(action, parameters)

    def action_more(self) -> None:
        if self._wanted >= MAX_HEAD:
            notify_plain(self, f"More than {words.size(MAX_HEAD)} is not shown; d downloads the object.", "warning")
        else:
            self._read(min(self._wanted * _MORE_FACTOR, MAX_HEAD))

    def action_search(self) -> None:
        self.bar.open()

    def action_copy(self, what: str) -> None:
        lines = [self.view.line_text] if what == "line" else [line.text for line in self.view.document.lines]
        notify_plain(self, copy_text(self.app, "\n".join(lines)))

    def action_download(self) -> None:
        self.dismiss(True)

    @work(group="open", exclusive=True)
    async def action_open(self) -> None:
        await self._actions.open(self._entry, self._set_status)

    @work(group="open", exclusive=True)
    async def action_play(self) -> None:
        """Play, pause or resume; play again after the end, or from where playback failed."""
        player = self._player
        if player is None:
            await self._listen()
        elif player.ended:
            await player.seek(player.position if player.problem else 0.0)
        else:
            player.pause(paused=not player.paused)

    @work(group="seek", exclusive=True)
    async def action_skip(self, seconds: int) -> None:
        if self._player is not None:
            await self._player.seek(min(self._player.position + seconds, self._seconds))

    @work(group="seek", exclusive=True)
    async def action_speed(self) -> None:
        from cloudstore_tui.preview.player import SPEEDS

        if self._player is not None:
            at = SPEEDS.index(self._player.speed)
            await self._player.set_speed(SPEEDS[(at + 1) % len(SPEEDS)])

    @work(group="seek", exclusive=True)
    async def action_jump(self) -> None:
        turn = self._turn_at(self.view.line)
        if turn is not None and self._player is not None:
            self._followed = self.view.line
            await self._player.seek(turn)

    def action_back(self) -> None:
        """Stop reading, or close if nothing is being read."""
        if not self.stop():
            self.action_close()

    def stop(self) -> bool:
        """Stop reading or opening; whether anything was stopped."""
        if self.workers.cancel_group(self, "open"):
            return True
        if not self.workers.cancel_group(self, "read"):
            return False
        self._wanted = self._shown
        self._update_header("stopped")
        if self._preview is None:
            self.view.set_status("Nothing was read. Esc goes back.")
        return True

    async def on_unmount(self) -> None:
        player, self._player = self._player, None
        if player is not None:
            await player.close()

    # Listening

    async def _listen(self) -> None:
        """Play the recording while it is fetched; if it could not be heard here, offer other ways."""
        # Deferred: needed only for playback.
        from cloudstore_tui.preview.player import Player

        why = why_silent(os.environ)
        if not why:
            player = Player(self._actions.sound_of(self._entry), self._on_player_update, child_environment())
            self._set_status("fetching it to listen… Esc stops")
            try:
                await player.start()
            except UnsupportedError as error:
                why = sentence(error.with_(hint=""))
            else:
                self._player = player
            finally:
                self._set_status("")
                if self._player is not player:
                    await player.close()
            if not why:
                self.refresh_bindings()
                self._read_transcript()
                return
        links = self._actions.can_link(self._entry)
        # Over SSH, other players could not be heard either, except one that the user configured.
        is_heard = is_local(os.environ) or self._actions.opens_elsewhere(self._entry)
        program = self._actions.opener_of(self._entry) if is_heard else ""
        dialog = ListenDialog(why, self._actions.known_address(self._entry), program=program, links=links)
        way = await self.app.push_screen_wait(dialog)
        if way is ListenWay.LINK:
            await self._actions.link(self._entry, self._set_status)
        elif way is ListenWay.OPEN:
            await self._actions.open(self._entry, self._set_status)

    @work(group="transcript", exclusive=True)
    async def _read_transcript(self) -> None:
        self._transcript = await self._actions.transcript_of(self._entry)
        self._redraw()

    def _on_player_update(self) -> None:
        """Show the position of the player, and move the cursor to the line being spoken."""
        player = self._player
        # While the screen closes, its widgets are gone before the player is.
        if player is None or not self.playing.is_attached:
            return
        if player.ended and player.problem:
            self.playing.hide()
            notify_plain(self, player.problem, "warning")
            return
        state = "‖" if player.paused or player.ended else "↓" if player.is_waiting else "▶"
        self.playing.show(state, player.position, self._seconds, player.speed)
        self.view.show_playhead(min(player.position / self._seconds, 1.0) if self._seconds else None)
        spoken = [line for line, start in self.view.document.turns if start <= player.position + 0.3]
        line = spoken[-1] if spoken else -1
        # Stop following once the user has moved the cursor.
        if line != self._followed and self._followed in (-1, self.view.line):
            self._followed = line
            if line >= 0:
                self.view.go_to(line)

    @property
    def _seconds(self) -> float:
        """Length of the recording; 0 if unknown."""
        body = self._preview.body if self._preview is not None else None
        return body.seconds if isinstance(body, Waveform) else self._entry.duration or 0.0

    def _turn_at(self, line: int) -> float | None:
        return dict(self.view.document.turns).get(line)

    @on(PreviewBar.Closed)
    def search(self, event: PreviewBar.Closed) -> None:
        self.view.focus()
        if event.text is not None and not self.view.search(event.text) and event.text:
            notify_plain(self, f"{event.text} is not in what is shown.", "warning")

    @on(PreviewView.Moved)
    def follow(self) -> None:
        self._update_header(self._state)

    def _set_status(self, text: str) -> None:
        self._update_header(text or (_summary(self._preview) if self._preview is not None else ""))

    @property
    def _shown(self) -> int:
        """How many bytes were requested for what is shown."""
        return max(self._preview.head, HEAD) if self._preview is not None else HEAD

    def _read(self, wanted: int) -> None:
        self._wanted = wanted
        self._update_header("reading… Esc stops")
        if self._preview is None:
            self._wait = ""
            self.view.set_status(_READING)
        self._fetch(wanted)

    @work(group="read", exclusive=True)
    async def _fetch(self, wanted: int) -> None:
        waits = self.set_interval(_POLL_S, self._show_wait)
        try:
            preview = await self._look_into(wanted)
        except StorageError as error:
            self._wanted = self._shown
            self._update_header("not read")
            if self._preview is None:
                self.view.set_status(sentence(error))
                record_message(self, str(error), "error")
            else:
                report(self, error)
            return
        finally:
            waits.stop()
        is_first, self._preview = self._preview is None, preview
        await self._draw(preview, stay=not is_first)
        self._update_header(_summary(preview))
        self.refresh_bindings()
        if is_first and self._listens:
            self.action_play()

    def _show_wait(self) -> None:
        """Show what the service is waiting for, until there is something to read."""
        note = self._actions.waiting_note(self._entry)
        if self._preview is None and note != self._wait:
            self._wait = note
            self.view.set_status(f"Reading… {note} · Esc stops" if note else _READING)

    @work(group="draw", exclusive=True)
    async def _redraw(self) -> None:
        if self._preview is not None:
            await self._draw(self._preview, stay=True)

    async def _draw(self, preview: Preview, *, stay: bool) -> None:
        if isinstance(preview.body, Table):
            MASK.learn_table(preview.body.header, preview.body.rows)
        # In a thread: thousands of lines would block the screen.
        document = await asyncio.to_thread(render, preview, self.size.width - 4)
        if self._transcript is not None:
            transcript = replace(self._transcript, facts=(), notes=())
            document = joined(document, render(transcript, self.size.width - 4))
        self.view.show(document, stay=stay)

    def _update_header(self, state: str) -> None:
        self._state = state
        lines = len(self.view.document.lines)
        where = f"line {self.view.line + 1:,} of {lines:,}" if lines else ""
        self.header.show([_title_of(self._entry)], " · ".join(part for part in (state, where) if part))


def _title_of(entry: StoredObject) -> str:
    """The name of an object; of a call's, whose names are long numbers, its kind and person."""
    if not entry.tag("callId"):
        return entry.name
    return " of ".join(part for part in (title_of(entry), entry.tag("agentName") or entry.tag("userName")) if part)


def _summary(preview: Preview) -> str:
    """Format, encoding, and how much of the object is shown."""
    return " · ".join(filter(None, (preview.format, preview.encoding, how_much(preview, words.size))))
