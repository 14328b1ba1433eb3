"""The line that says what waits for the user. Nothing opens by itself."""

from textual.reactive import reactive

from cloudstore_tui.ui.format import counted
from cloudstore_tui.ui.widgets.chrome import StatusBar


class WaitingLine(StatusBar):
    """Says what waits, and which key leads there; takes no room while nothing does."""

    DEFAULT_CSS = """
    WaitingLine { height: 1; color: $text-warning; display: none; }
    """
    stopped: reactive[int] = reactive(0)
    """Transfers of earlier runs that stopped half-way."""
    restored: reactive[int] = reactive(0)
    """Archived objects that are back."""

    def watch_stopped(self) -> None:
        """Say it anew."""
        self._tell()

    def watch_restored(self) -> None:
        """Say it anew."""
        self._tell()

    def _tell(self) -> None:
        parts = []
        if self.stopped:
            parts.append(f"{counted(self.stopped, 'transfer')} stopped half-way: t goes on or drops")
        if self.restored:
            verb = "is" if self.restored == 1 else "are"
            parts.append(f"{counted(self.restored, 'archived object')} {verb} back: Q downloads")
        self.set_text(" · ".join(parts))
        self.display = bool(parts)
