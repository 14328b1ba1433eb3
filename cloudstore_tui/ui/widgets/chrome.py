"""The lines around every screen: breadcrumb, last message and keys.

`BaseScreen` adds them to screens and dialogs. When one word changes, Textual's own Header and Footer redraw more than
their line; these redraw one line, and only if its text changed.
"""

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Static

from cloudstore_tui.core.models import Location
from cloudstore_tui.ui.keys import key_display
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.report import Notice, messages_of
from cloudstore_tui.ui.text import plain

BETWEEN_CRUMBS, BETWEEN_FACTS = " › ", " · "
UPDATE_S = 60
"""Seconds between updates of badges that show minutes, such as the time left of a login."""
NARROW = 100
"""Screen width below which gaps are smaller."""
MAX_MESSAGE_LINES = 3
LONGEST_CRUMB = 60


class Crumb(Struct, frozen=True):
    """One part of the breadcrumb, and where a click on it leads."""

    text: str
    location: Location | None = None


class Badge(Struct, frozen=True):
    """A fact about the whole screen, at the right of the header."""

    text: str
    kind: str = "plain"
    """`plain`, `warning` or `accent`."""


_BADGE_STYLES = {"plain": "", "warning": "$text-warning", "accent": "$text-accent"}


class Header(Widget):
    """The first line: on the left the breadcrumb with links, on the right badges and facts."""

    DEFAULT_CSS = """
    Header { dock: top; height: 1; background: $panel; color: $foreground; text-style: bold; text-wrap: nowrap; }
    """
    ALLOW_SELECT = False

    @dataclass
    class Opened(Message):
        """A part of the breadcrumb was clicked."""

        location: Location

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.crumbs: tuple[Crumb, ...] = ()
        """The breadcrumb; not yet safe to draw."""
        self.badges: Callable[[], Iterable[Badge]] = tuple
        """Returns the current badges, the most important first."""
        self._facts = ""
        self._shown: tuple[tuple[Crumb, ...], tuple[Badge, ...]] = ((), ())

    def on_mount(self) -> None:
        self.set_interval(UPDATE_S, self.update)

    def show(self, crumbs: Iterable[Crumb | str], facts: str = "") -> None:
        """Show a breadcrumb and facts, which are separated by ` · `, the most important first."""
        self.crumbs = tuple(Crumb(crumb) if isinstance(crumb, str) else crumb for crumb in crumbs)
        self._facts = facts
        self.update()

    def update(self) -> None:
        """Redraw if a badge changed."""
        mask = (Badge("MASKED", "warning"),) if MASK.on else ()
        facts = (Badge(self._facts),) if self._facts else ()
        shown = (self.crumbs, (*mask, *facts, *self.badges()))
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def on_resize(self) -> None:
        self.update()

    def render(self) -> Content:
        """What fits of crumbs, badges and facts; the first crumbs are dropped first, the last crumb never."""
        width, first, last = self.size.width, 0, len(self.crumbs) - 1
        badges = list(self._shown[1])
        left, right = self._way(first), _badge_line(badges, width)
        while left.cell_length + right.cell_length > width and (badges or first < last):
            if first < last - 1 or not badges:
                first += 1
            else:
                badge = badges.pop()
                shorter, between, _ = badge.text.rpartition(BETWEEN_FACTS)
                badges += [Badge(shorter, badge.kind)] if between else []
            left, right = self._way(first), _badge_line(badges, width)
        return left.pad_right(max(width - left.cell_length - right.cell_length, 0)) + right

    def on_click(self, event: events.Click) -> None:
        number = event.style.meta.get("crumb")
        if number is not None and (location := self.crumbs[number].location) is not None:
            self.post_message(self.Opened(location))

    def _way(self, first: int) -> Content:
        """The breadcrumb from one crumb on."""
        between = Content.styled(BETWEEN_CRUMBS, "$text-muted")
        parts = [
            Content.styled(plain(crumb.text, LONGEST_CRUMB), Style.from_meta({"crumb": number}))
            for number, crumb in enumerate(self.crumbs[first:], first)
        ]
        return Content(" ") + between.join(parts)


def _badge_line(badges: Sequence[Badge], width: int) -> Content:
    gap = " " * (2 if width < NARROW else 3)
    parts = [Content.styled(f"{gap}{plain(badge.text)}", _BADGE_STYLES[badge.kind]) for badge in badges]
    return Content("").join([*parts, Content(" ")]) if parts else Content("")


class StatusBar(Widget):
    """One line of text, redrawn only when it changes."""

    DEFAULT_CSS = """
    StatusBar { height: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.text = ""

    def set_text(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.refresh()

    def render(self) -> Content:
        return Content(f" {plain(self.text)}")


class PaneRule(Widget):
    """A line above or below panes that stand side by side, with corners at their borders; highlights the focused one.

    Borders of the panes could do the same, but each change of focus would redraw both panes.
    """

    DEFAULT_CSS = """
    PaneRule { height: 1; color: $border-blurred; text-wrap: nowrap; }
    """
    ALLOW_SELECT = False

    def __init__(self, panes: Widget, corner: str) -> None:
        """Draw the line of a row of panes, with `corner` where two of them meet."""
        super().__init__()
        self._panes = panes
        self._corner = corner

    def on_mount(self) -> None:
        self.watch(self.screen, "focused", self._follow, init=False)
        self.screen.screen_layout_refresh_signal.subscribe(self, self._follow)

    def render(self) -> Content:
        width = self.size.width
        shown = sorted((pane for pane in self._panes.children if pane.display), key=lambda pane: pane.region.x)
        # The border between two panes belongs to one of them.
        ends = [pane.region.x + bool(pane.styles.border_left[0]) for pane in shown[1:]]
        parts = []
        for pane, (start, end) in zip(shown, pairwise([0, *ends, width]), strict=True):
            line = "─" * (end - start)
            line = line[:-1] + self._corner if end < width else line
            parts.append((line, "bold $border" if pane.has_pseudo_class("focus-within") or pane.has_focus else ""))
        return Content.assemble(*parts)

    def _follow(self, _: object) -> None:
        self.refresh()


class MessageLine(Static):
    """The last message, on the top screen; takes no room while there is none."""

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
        if messages := messages_of(self):
            messages.changed.subscribe(self, self.show)
            self.show(messages.shown)

    def show(self, notice: Notice | None) -> None:
        """Show a message if this screen is on top."""
        notice = notice if self.screen.is_current else None
        if notice is not self._notice:
            self._notice = notice
            self._draw()

    def on_resize(self) -> None:
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
    """The last line: the keys that work now, which can be clicked."""

    DEFAULT_CSS = """
    Footer { height: 1; background: $panel; color: $foreground; text-wrap: nowrap; }
    """
    ALLOW_SELECT = False
    LAST: ClassVar[tuple[str, ...]] = ("command_palette", "help")
    """Actions at the right, which are shown even if there is no room for the others."""

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
        label_of: Callable[[Binding], str] = getattr(screen, "label_of", lambda binding: binding.description)
        key_of: Callable[[Binding], str] = getattr(screen, "key_of", partial(key_display, self.app))
        # Skip actions whose main key is taken by a widget with focus; few users know their other keys.
        bindings = [active.binding for active in screen.active_bindings.values() if active.enabled and _is_main(active)]
        for binding in sorted(bindings, key=lambda one: first.index(one.id) if one.id in first else len(first)):
            if binding.show and binding.description and offers(binding):
                item = _Item(binding.action, key_of(binding), label_of(binding), binding.key)
                shown.setdefault(binding.action, item)
        items = tuple(shown.values())
        if items != self._items:
            self._items = items
            self.refresh()

    def render(self) -> Content:
        """As many keys as fit."""
        width = self.size.width
        is_narrow = width < NARROW
        last = [item for action in self.LAST for item in self._items if item.action == action]
        right = Content(" ").join([item.content(named=not is_narrow or len(last) == 1) for item in last])
        right = right.pad_right(2)
        left, gap = Content(""), " " * (1 if is_narrow else 2)
        for item in self._items:
            longer = left + (gap if left else "") + item.content()
            if item not in last and longer.cell_length + len(gap) + right.cell_length <= width:
                left = longer
        return left.pad_right(max(width - left.cell_length - right.cell_length, 0)) + right

    def on_click(self, event: events.Click) -> None:
        if key := event.style.meta.get("key"):
            self.app.simulate_key(key)


class _Item(Struct, frozen=True):
    """A key in the footer."""

    action: str
    display: str
    description: str
    key: str

    def content(self, *, named: bool = True) -> Content:
        """The key, with its label if `named`."""
        words = f" {self.description}" if named else ""
        text = Content.assemble(" ", (self.display, "$text-accent bold"), words)
        return text.stylize(Style.from_meta({"key": self.key}))


def _is_main(active: ActiveBinding) -> bool:
    """Whether a key is the first one of its action, or was set by the user."""
    if active.binding.id in active.node.app._keymap:  # noqa: SLF001  # Textual has no public access
        return True
    bound = active.node._bindings.key_to_bindings  # noqa: SLF001  # including overridden keys
    same = (key for key, bindings in bound.items() for one in bindings if one.action == active.binding.action)
    return next(same, active.binding.key) == active.binding.key


class BottomLines(Vertical):
    """Message line and footer of a screen or dialog."""

    DEFAULT_CSS = """
    BottomLines { dock: bottom; height: auto; }
    """

    def compose(self) -> ComposeResult:
        yield MessageLine(id="message")
        yield Footer(id="footer")
