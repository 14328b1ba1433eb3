"""One of a few words, all of them on one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

_GAP = "  "


class ChoiceLine(Static, can_focus=True):
    """Shows which one is chosen by a mark, never by colour alone; Left, Right and Space choose."""

    DEFAULT_CSS = """
    ChoiceLine {
        height: 1; width: 1fr;
        &:focus { text-style: bold; color: $text-accent; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,l,space", "choose(1)", "Next choice", show=False, tooltip="Choose the next", id="choice.next"),
        Binding(
            "left,h", "choose(-1)", "Choice before", show=False, tooltip="Choose the one before", id="choice.before"
        ),
    ]

    @dataclass
    class Changed(Message):
        """Another word was chosen."""

        line: "ChoiceLine"
        value: str

        @property
        def control(self) -> "ChoiceLine":
            """The line that it happened in."""
            return self.line

    def __init__(self, words: Sequence[str], value: str = "", *, id: str | None = None) -> None:
        super().__init__("", id=id)
        self._words = tuple(words)
        self._value = value or self._words[0]

    @property
    def value(self) -> str:
        """The word that is chosen."""
        return self._value

    @value.setter
    def value(self, word: str) -> None:
        if word not in self._words or word == self._value:
            return
        self._value = word
        self._draw()
        self.post_message(self.Changed(self, word))

    @property
    def words(self) -> tuple[str, ...]:
        """What there is to choose from."""
        return self._words

    def offer(self, words: Sequence[str], value: str) -> None:
        """Choose from other words."""
        self._words = tuple(words)
        self._draw()
        self.value = value

    def on_mount(self) -> None:
        """Show the words."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Choose the word that was clicked."""
        start = 0
        for word in self._words:
            end = start + len(_marked(word, chosen=False))
            if start <= event.x < end:
                self.value = word
                return
            start = end + len(_GAP)

    def action_choose(self, step: int) -> None:
        """Choose the next word or the one before; after the last comes the first."""
        at = self._words.index(self._value) if self._value in self._words else 0
        self.value = self._words[(at + step) % len(self._words)]

    def _draw(self) -> None:
        self.update(Content(_GAP.join(_marked(word, chosen=word == self._value) for word in self._words)))


def _marked(word: str, *, chosen: bool) -> str:
    return f"({'x' if chosen else ' '}) {word}"
