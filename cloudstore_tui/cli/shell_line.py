"""A line that is being typed into a shell: its words, and how the last of them can be gone on with.

Names of objects are other people's. What is offered for a word only adds to what was typed, never replaces it, and the
shell reads the whole as the very name: nothing in it can run, expand or end the word.
"""

import re

_BLANKS = " \t\n"
_SPECIAL = re.compile(r"[^A-Za-z0-9_./:@%+,=\-\x80-\U0010ffff]")
"""What some shell may take for more than itself where nothing quotes it."""
_LIVE = frozenset("$`!")
"""What double quotes leave alive in some shell."""


class TypedLine:
    """The words before the cursor, read as bash, zsh and fish all do."""

    def __init__(self) -> None:
        self.words: list[str] = []
        """Those that are complete, without their quotes."""
        self.last = ""
        """The one that is being typed, without its quotes; empty after a blank."""
        self.quote = ""
        """What is open at the cursor: a quote, a backslash that waits for its character, or both."""
        self.is_literal = True
        """Whether the last word means what it says, in every shell: nothing in it is expanded."""
        self._begun = False

    def rest(self, value: str) -> str | None:
        """What to add to the last word so that bash reads `value`; `None` where that is not safe."""
        if not (self.is_literal and value.startswith(self.last) and value.isprintable()):
            return None
        rest = value[len(self.last) :]
        if self.quote in ("", "\\"):
            escaped = _SPECIAL.sub(r"\\\g<0>", rest)
            # A backslash that was typed quotes what comes next, whatever it is.
            return escaped.removeprefix(self.quote)
        if "\\" in self.quote + rest or "'" in rest or '"' in rest or _LIVE & set(rest):
            return None
        return rest

    def read(self, character: str) -> None:
        """Go on by one character."""
        match self.quote:
            case "":
                self._unquoted(character)
            case "'":
                self._take(character) if character != "'" else self._open("")
            case '"':
                self._in_double_quotes(character)
            case _:
                self._escaped(character)

    def _unquoted(self, character: str) -> None:
        if character in "'\"\\":
            self._open(character)
        elif character in _BLANKS:
            if self._begun:
                self.words.append(self.last)
            self.last, self.is_literal, self._begun = "", True, False
        else:
            self._take(character, is_literal=not _SPECIAL.match(character))

    def _in_double_quotes(self, character: str) -> None:
        if character == '"':
            self._open("")
        elif character == "\\":
            self._open('"\\')
        else:
            self._take(character, is_literal=character not in _LIVE)

    def _escaped(self, character: str) -> None:
        """What follows a backslash: of a letter the shells make different things, and in quotes of most else."""
        is_literal = character in '"\\$' if '"' in self.quote else not character.isalnum()
        self._take(character, is_literal=is_literal)
        self._open(self.quote.removesuffix("\\"))

    def _open(self, quote: str) -> None:
        self.quote, self._begun = quote, True

    def _take(self, character: str, *, is_literal: bool = True) -> None:
        self.last += character
        self.is_literal = self.is_literal and is_literal
        self._begun = True


def read_line(text: str) -> TypedLine:
    """The words of a line up to the cursor."""
    line = TypedLine()
    for character in text:
        line.read(character)
    return line
