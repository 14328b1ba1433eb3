"""JSON read piece by piece, also where it ends in the middle.

The library's reader wants the whole text, and recurses. This one is given the first kilobytes of anything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, dumps, loads

DEEPEST = 200
"""Nested brackets; deeper is no data that anybody wants to read."""

_BLANK = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(
    r'(?P<text>"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")'
    r"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![0-9.eE+-])"
    r"|(?P<word>true|false|null)(?![A-Za-z0-9_])"
    r"|(?P<sign>[{}\[\],:])"
)
_BEGUN = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*\\?|-?[0-9]*\.?[0-9]*(?:[eE][+-]?)?|[a-z]{1,4}')
"""What a token looks like that is cut off."""
_CLOSING = {"{": "}", "[": "]"}


class NoJsonError(ValueError):
    """The text is something else."""


@dataclass(frozen=True, slots=True)
class Event:
    """One value, or one bracket."""

    kind: str
    """`text`, `number`, `word`, `open` or `close`."""
    source: str
    """As it is written, but texts with letters instead of codes."""
    key: str = ""
    """Its name in an object, with quotes."""
    end: int = 0
    """Where the next one begins."""


class JsonEvents:
    """The values of one document, in order; brackets that are left open at the end of the text stay so."""

    def __init__(self, text: str, start: int = 0) -> None:
        self._text = text
        self._at = _skip(text, start)
        self._open: list[str] = []
        self._key = ""
        self._wanted = "value"
        self.complete = False
        """Whether the document ended."""
        self.end = start
        """Where it ended."""

    def __iter__(self) -> Iterator[Event]:
        """One event after the other.

        Raises:
            NoJsonError: the text is no JSON, as far as it goes.
        """
        while self._wanted != "end" and self._at < len(self._text):
            found = _TOKEN.match(self._text, self._at)
            if found is None:
                if _BEGUN.fullmatch(self._text, self._at):
                    return
                raise NoJsonError
            self._at = _skip(self._text, found.end())
            event = self._take(str(found.lastgroup), found.group())
            if event is not None:
                yield event
        self.complete, self.end = self._wanted == "end", self._at

    def _take(self, kind: str, token: str) -> Event | None:
        if kind == "sign":
            return self._sign(token)
        if self._wanted in ("key", "first key"):
            if kind != "text":
                raise NoJsonError
            self._key, self._wanted = _readable(token), "colon"
            return None
        if self._wanted not in ("value", "first"):
            raise NoJsonError
        return self._value(kind, _readable(token) if kind == "text" else token)

    def _sign(self, token: str) -> Event | None:
        if token in _CLOSING:
            return self._opened(token)
        if token in ":,":
            self._join(token)
            return None
        if not self._open or _CLOSING[self._open[-1]] != token or self._wanted not in ("next", "first", "first key"):
            raise NoJsonError
        self._open.pop()
        return self._value("close", token)

    def _opened(self, token: str) -> Event:
        if self._wanted not in ("value", "first") or len(self._open) >= DEEPEST:
            raise NoJsonError
        self._open.append(token)
        event = Event("open", token, self._key, self._at)
        self._key, self._wanted = "", "first key" if token == "{" else "first"
        return event

    def _join(self, token: str) -> None:
        if token == ":" and self._wanted == "colon":
            self._wanted = "value"
        elif token == "," and self._wanted == "next":
            self._wanted = "key" if self._open[-1] == "{" else "value"
        else:
            raise NoJsonError

    def _value(self, kind: str, source: str) -> Event:
        event = Event(kind, source, self._key, self._at)
        self._key, self._wanted = "", "next" if self._open else "end"
        return event


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found is not None else at


def _readable(token: str) -> str:
    """A text with letters instead of codes, as far as they are letters."""
    if "\\" not in token:
        return token
    try:
        return dumps(loads(token), ensure_ascii=False)
    except (JSONDecodeError, RecursionError):
        raise NoJsonError from None
