"""What every screen has above and below what it shows: where the user is, what was told last, and the keys.

`BaseScreen` puts these lines on screens and dialogs. Textual's own Header and Footer draw the whole line, and more of
the screen, when one word of it changes; these draw a line, and only if it is not what it was.
"""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, TypeAlias

from msgspec import Struct
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from cloudstore_tui.core.models import Location
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import Messages, Notice
from cloudstore_tui.ui.terminal.access import key_display
from cloudstore_tui.ui.text import plain

BETWEEN_CRUMBS, BETWEEN_FACTS = " › ", " · "
UPDATE_S = 60
"""Seconds between looks at the terms of a login, which are told in minutes."""
NARROW = 100
"""Columns below which the lines are set closer."""
MAX_MESSAGE_LINES = 3
LONGEST_CRUMB = 60


class Crumb(Struct, frozen=True):
    """One part of the way that leads here, and where a click on it goes."""

    text: str
    location: Location | None = None


class Badge(Struct, frozen=True):
    """Something that holds for everything on the screen."""

    text: str
    kind: str = "plain"
    """`plain`, `warning` or `accent`."""


_Part: TypeAlias = tuple[str, str, Location | None]
"""A text, what it looks like, and where a click on it goes."""


class Header(Widget):
    """The first line: on the left the way that leads here, each part a link, on the right what holds here."""

    DEFAULT_CSS = """
    Header {
        dock: top; height: 1; background: $panel; color: $foreground; text-style: bold;
        & > .header--warning { color: $text-warning; text-style: bold; }
        & > .header--accent { color: $text-accent; text-style: bold; }
        & > .header--between { color: $text-muted; text-style: none; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"header--warning", "header--accent", "header--between"}
    ALLOW_SELECT = False

    class Opened(Message):
        """The user wants to go to a part of the way."""

        def __init__(self, location: Location) -> None:
            super().__init__()
            self.location = location

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.crumbs: tuple[Crumb, ...] = ()
        """The way that leads here; not yet safe to draw."""
        self.badges: Callable[[], Iterable[Badge]] = tuple
        """Tells what holds now, the most important first."""
        self._facts = ""
        self._shown: tuple[tuple[Crumb, ...], tuple[Badge, ...]] = ((), ())

    def on_mount(self) -> None:
        self.set_interval(UPDATE_S, self.update)

    def show(self, crumbs: Iterable[Crumb | str], facts: str = "") -> None:
        """Show the way that leads here, and facts about what is here: dots between them, the most important first."""
        self.crumbs = tuple(Crumb(crumb) if isinstance(crumb, str) else crumb for crumb in crumbs)
        self._facts = facts
        self.update()

    def update(self) -> None:
        """Look at the badges again."""
        mask = (Badge("MASKED", "warning"),) if MASK.on else ()
        facts = (Badge(self._facts),) if self._facts else ()
        shown = (self.crumbs, (*mask, *facts, *self.badges()))
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def remask(self) -> None:
        self.update()

    def render_line(self, _y: int) -> Strip:
        width, style = self.size.width, self.rich_style
        left, right = self._fitted(width)
        gap = max(width - _width_of(left) - _width_of(right), 0)
        styles = {kind: self.get_component_rich_style(f"header--{kind}") for kind in ("warning", "accent", "between")}
        parts = (*left, (" " * gap, "plain", None), *right)
        return Strip([Segment(text, styles.get(kind, style)) for text, kind, _ in parts]).adjust_cell_length(width)

    def on_click(self, event: events.Click) -> None:
        end = 0
        for text, _, location in self._fitted(self.size.width)[0]:
            end += cell_len(text)
            if event.x < end:
                if location is not None:
                    self.post_message(self.Opened(location))
                return

    def _fitted(self, width: int) -> tuple[list[_Part], list[_Part]]:
        """The crumbs, badges and facts there is room for: where the user is stays longest, the way there goes first."""
        crumbs, badges = list(self._shown[0]), list(self._shown[1])
        while _width_of(_crumb_parts(crumbs)) + _width_of(_badge_parts(badges, width)) > width:
            if len(crumbs) > 2:
                crumbs.pop(0)
            elif badges:
                last = badges.pop()
                shorter, between, _ = last.text.rpartition(BETWEEN_FACTS)
                badges += [Badge(shorter, last.kind)] if between else []
            elif len(crumbs) > 1:
                crumbs.pop(0)
            else:
                break
        return _crumb_parts(crumbs), _badge_parts(badges, width)


def _crumb_parts(crumbs: Sequence[Crumb]) -> list[_Part]:
    parts: list[_Part] = []
    for crumb in crumbs:
        parts += [(BETWEEN_CRUMBS if parts else " ", "between", None)]
        parts += [(plain(crumb.text, LONGEST_CRUMB), "plain", crumb.location)]
    return parts


def _badge_parts(badges: Sequence[Badge], width: int) -> list[_Part]:
    gap = " " * (2 if width < NARROW else 3)
    parts: list[_Part] = [(f"{gap}{plain(badge.text)}", badge.kind, None) for badge in badges]
    return [*parts, (" ", "plain", None)] if parts else []


def _width_of(parts: Iterable[_Part]) -> int:
    return sum(cell_len(text) for text, _, _ in parts)


class StatusBar(Widget):
    """One line of text below something, repainted only when it changed."""

    DEFAULT_CSS = """
    StatusBar { height: 1; color: $text-muted; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = ""

    def set_text(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.refresh()

    def render_line(self, _y: int) -> Strip:
        return Strip(
            [Segment(set_cell_size(f" {plain(self.text)}", self.size.width), self.rich_style)], self.size.width
        )


class MessageLine(Static):
    """What was told last, on the screen on top; takes no room where that is nothing."""

    DEFAULT_CSS = f"""
    MessageLine {{
        height: auto; max-height: {MAX_MESSAGE_LINES}; padding: 0 1; display: none; color: $foreground;
        &.-warning {{ color: $text-warning; }}
        &.-error {{ color: $text-error; text-style: bold; }}
    }}
    """
    ALLOW_SELECT = True
    SIGNS: ClassVar[dict[str, str]] = {"information": "", "warning": "! ", "error": "✗ "}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._notice: Notice | None = None

    def on_mount(self) -> None:
        messages = getattr(self.app, "messages", None)
        if isinstance(messages, Messages):
            messages.changed.subscribe(self, self.show)
            self.show(messages.shown)

    def show(self, notice: Notice | None) -> None:
        """Show what was told, if this screen is on top."""
        notice = notice if self.screen.is_current else None
        if notice is not self._notice:
            self._notice = notice
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def remask(self) -> None:
        self._draw()

    def _draw(self) -> None:
        notice = self._notice
        self.display = notice is not None
        if notice is not None:
            self.set_classes(f"-{notice.severity}")
            size = self.screen.size
            most = min(MAX_MESSAGE_LINES, max(size.height // 8, 1))
            text = self.SIGNS[notice.severity] + plain(notice.text, len(notice.text) + 1)
            lines = textwrap.wrap(text, max(size.width - 2, 10), max_lines=most, placeholder=" …")
            self.update(Content("\n".join(lines)))


class Footer(Widget):
    """The last line: the keys that work here and now, each of which can be clicked."""

    DEFAULT_CSS = """
    Footer {
        height: 1; background: $panel; color: $foreground;
        & > .footer--key { color: $text-accent; text-style: bold; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"footer--key"}
    ALLOW_SELECT = False
    LAST: ClassVar[tuple[str, ...]] = ("command_palette", "help")
    """Actions that stand at the right, and stay where there is no room for the others."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: tuple[_Item, ...] = ()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self.show_bindings)
        self.show_bindings(self.screen)

    def show_bindings(self, screen: Screen[object]) -> None:
        shown: dict[str, _Item] = {}
        first: tuple[str, ...] = getattr(screen, "FOOTER", ())
        offers: Callable[[Binding], bool] = getattr(screen, "offers", lambda _: True)
        # A key that somebody nearer uses for something else leaves the action to its other keys, which few know.
        bindings = [active.binding for active in screen.active_bindings.values() if active.enabled and _is_main(active)]
        for binding in sorted(bindings, key=lambda one: first.index(one.id) if one.id in first else len(first)):
            if binding.show and binding.description and offers(binding):
                is_last = binding.action in self.LAST
                display = key_display(self.app, binding)
                item = _Item(binding.action, display, binding.description, binding.key, is_last)
                shown.setdefault(binding.action, item)
        items = tuple(shown.values())
        if items != self._items:
            self._items = items
            self.refresh()

    def render_line(self, _y: int) -> Strip:
        width, style = self.size.width, self.rich_style
        key_style = self.get_component_rich_style("footer--key")
        segments, x = [], 0
        for start, item, words in self._placed(width):
            segments += [Segment(" " * (start - x + 1), style), Segment(item.display, key_style), Segment(words, style)]
            x = start + 1 + cell_len(item.display) + cell_len(words)
        return Strip(segments).adjust_cell_length(width, style)

    def on_click(self, event: events.Click) -> None:
        for start, item, words in self._placed(self.size.width):
            if start <= event.x <= start + cell_len(item.display) + cell_len(words):
                self.app.simulate_key(item.key)
                return

    def _placed(self, width: int) -> list[tuple[int, "_Item", str]]:
        """What fits into the line: the column where it begins, the key, and its words."""
        is_narrow = width < NARROW
        last = sorted((item for item in self._items if item.is_last), key=lambda item: self.LAST.index(item.action))
        right = [(item, "" if is_narrow and len(last) > 1 else f" {item.description}") for item in last]
        end = width - sum(_item_width(*one) for one in right) - 1
        placed, x, gap = [], 0, 1 if is_narrow else 2
        for item in self._items:
            wide = _item_width(item, words := f" {item.description}")
            if item.is_last or x + wide > end:
                continue
            placed.append((x, item, words))
            x += wide + gap
        x = max(end, 0)
        for item, words in right:
            placed.append((x, item, words))
            x += _item_width(item, words)
        return placed


class _Item(Struct, frozen=True):
    """A key of the footer."""

    action: str
    display: str
    description: str
    key: str
    is_last: bool


def _is_main(active: ActiveBinding) -> bool:
    """Whether a key is the first of those that its action has, or that the user gave it."""
    if active.binding.id in active.node.app._keymap:  # noqa: SLF001  # Textual has no public way to it
        return True
    bound = active.node._bindings.key_to_bindings  # noqa: SLF001  # of all keys, whoever hides them
    same = (key for key, bindings in bound.items() for one in bindings if one.action == active.binding.action)
    return next(same, active.binding.key) == active.binding.key


def _item_width(item: _Item, words: str) -> int:
    return 1 + cell_len(item.display) + cell_len(words) + item.is_last


class BottomLines(Vertical):
    """The lines at the foot of a screen or dialog."""

    DEFAULT_CSS = """
    BottomLines { dock: bottom; height: auto; }
    """

    def compose(self) -> ComposeResult:
        yield MessageLine(id="message")
        yield Footer(id="footer")
