"""How to get keys from each service, to read."""

import textwrap
from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.text import show
from cloudstore_tui.ui.widgets.fields import ChoiceLine
from cloudstore_tui.ui.widgets.scrolled_text import PagedText

_BULLET = "* "
_WIDEST = 100


class KeyGuideScreen(BaseScreen[None]):
    """One text for each service; Left and Right change between them."""

    CSS = "KeyGuideScreen #service { padding: 0 1; margin-bottom: 1; }"
    AUTO_FOCUS = "#guide"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", tooltip="Back to where you were", id="guide.close"),
        Binding("right,l", "choose(1)", "Next service", tooltip="Next service", id="guide.next"),
        Binding("left,h", "choose(-1)", "Previous service", tooltip="Previous service", id="guide.before"),
    ]

    def __init__(self, guides: Mapping[str, str]) -> None:
        """Show these texts, by the name of the service."""
        super().__init__()
        self._guides = guides

    def compose(self) -> ComposeResult:
        yield ChoiceLine(tuple(self._guides), id="service")
        yield PagedText(id="guide")

    def on_mount(self) -> None:
        self.header.show(["How to get keys"])

    def on_resize(self, event: events.Resize) -> None:
        self._set(event.size.width)

    def on_choice_line_changed(self) -> None:
        self._set(self.size.width)
        self.query_one("#guide").scroll_home(animate=False)

    def action_choose(self, step: int) -> None:
        self.query_one(ChoiceLine).action_choose(step)

    def _set(self, width: int) -> None:
        text = self._guides[self.query_one("#service", ChoiceLine).value]
        lines = [line for part in text.splitlines() for line in _wrapped(part, min(max(width - 4, 30), _WIDEST))]
        title, *rest = lines
        head = Content.styled(title, "bold")
        self.query_one(PagedText).text.update(Content("\n").join([head, *(show(line) for line in rest)]))


def _wrapped(part: str, width: int) -> list[str]:
    """The lines of a paragraph or of a step, whose further lines stand below its text."""
    number = part.partition(". ")[0]
    indent = len(_BULLET) if part.startswith(_BULLET) else len(number) + 2 if number.isdigit() else 0
    return textwrap.wrap(part, width, subsequent_indent=" " * indent, break_long_words=False) or [""]
