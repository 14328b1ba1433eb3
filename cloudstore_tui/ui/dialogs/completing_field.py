"""A field that Tab completes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from cloudstore_tui.ui.dialogs.completion import Completion
from cloudstore_tui.ui.dialogs.field import Field


class CompletingField(Field):
    """Tab completes what is typed, and goes on to the next part when there is nothing to complete."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", show=False, tooltip="Complete what is typed", id="field.complete"),
    ]

    @dataclass
    class Completed(Message):
        """Tab was pressed; `candidates` could follow."""

        candidates: tuple[str, ...]

    def __init__(
        self, complete: Callable[[str], Completion | None], value: str = "", *, widget_id: str | None = None
    ) -> None:
        """Complete with `complete`; it gives `None` while it has to find out, and Tab is pressed for the user later."""
        super().__init__(value, widget_id=widget_id)
        self._complete = complete

    def action_complete(self) -> None:
        """Complete, or go on."""
        found = self._complete(self.value)
        if found is None:
            return
        changed = found.text != self.value
        if changed:
            self.value = found.text
            self.action_end()
        elif len(found.candidates) <= 1:
            self.screen.focus_next()
        self.post_message(self.Completed(found.candidates if len(found.candidates) > 1 else ()))
