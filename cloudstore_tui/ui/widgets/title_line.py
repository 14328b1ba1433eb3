"""The first line of the screen: whose data this is, and on which terms."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from cloudstore_tui.core.provider import Session
from cloudstore_tui.ui.mask import MASK
from cloudstore_tui.ui.text import plain

NAME = "cloudstore"
_REFRESH = 60
"""Seconds between looks at the clock: what is shown has no seconds."""


@dataclass(frozen=True, slots=True)
class TitleState:
    """Where the user is, and what the login is worth."""

    profile: str = ""
    region: str = ""
    zone: str = "UTC"
    read_only: bool = False
    session: Callable[[], Session] = Session
    """Tells the present state of the login."""


def _now() -> datetime:
    return datetime.now(UTC)


class TitleLine(Widget):
    """One line, repainted only when its text changed."""

    DEFAULT_CSS = """
    TitleLine { height: 1; background: $panel; color: $foreground; text-style: bold; }
    """
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, now: Callable[[], datetime] = _now) -> None:
        super().__init__(id=id)
        self._now = now
        self._standing = TitleState()
        self._parts = ("", "")

    def on_mount(self) -> None:
        """Keep the minutes true."""
        self.set_interval(_REFRESH, self.look)

    def show(self, standing: TitleState) -> None:
        """Show where the user is."""
        self._standing = standing
        self.look()

    def show_zone(self, name: str) -> None:
        """Show in which zone times are."""
        self.show(replace(self._standing, zone=name))

    def remask(self) -> None:
        """Say whether the mask is on."""
        self.look()

    def look(self) -> None:
        """Show how long the login lasts now."""
        standing = self._standing
        where = " · ".join(part for part in (standing.profile, standing.region) if part)
        session = standing.session()
        terms = (
            MASK.word,
            standing.zone,
            _token(session, self._now()),
            "read-only" if standing.read_only else "",
            session.note,
        )
        parts = (where, " · ".join(part for part in terms if part))
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The name of the program and of the profile on the left, the terms on the right."""
        width = self.size.width
        if y:
            return Strip.blank(width, self.rich_style)
        where, terms = (plain(part) for part in self._parts)
        left, right = f" {NAME}   {where}", f"{terms} "
        gap = width - cell_len(left) - cell_len(right)
        line = left + " " * gap + right if gap >= 1 else set_cell_size(left, width)
        return Strip([Segment(set_cell_size(line, width), self.rich_style)], width)


def _token(session: Session, now: datetime) -> str:
    if session.token_ends is None:
        return ""
    seconds = (session.token_ends - now).total_seconds()
    return f"token {int(seconds // 60)} min" if seconds >= 60 else "token ends" if seconds > 0 else "token ended"
