"""Masking of people's names and numbers, for screens that others can see.

Names are learned from the fields that hold them; phone numbers, mail addresses and signed links are recognized by their
form. A pseudonym is as wide as the value it replaces, and the same value always gets the same one, so that people can
still be told apart. Only the screen is masked, not what is copied, saved or sent. A line filter masks typed text, and
what widgets were given before masking was switched on.
"""

import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from itertools import pairwise
from pathlib import PurePath
from unicodedata import east_asian_width

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from cloudstore_tui.core.models import Entry, StoredObject

MAX_NAMES = 50_000
"""Names that are remembered; beyond that, rows and details are still masked by field."""

# Patterns are compiled on first use, to keep the start fast.
_PERSON = r"(?:agent|user|caller|callee|customer|contact|owner|person|employee|supervisor|member|guest)"
_FIELDS = (
    rf"(?i:{_PERSON}[ _-]?(?:full|first|last|display)?[ _-]?names?|(?:first|last|full|display)[ _-]?name"
    r"|started[ _-]?by|.*e-?mail(?:[ _-]?address)?|.*(?:tele)?phone(?:[ _-]?(?:number|no))?|.*msisdn"
    r"|caller[ _-]?id|callee[ _-]?id|(?:caller|callee|from|to|called|calling)[ _-]?number|address|ani|dnis"
    r"|extension(?:[ _-]?(?:number|id))?|agent|caller|callee|customer|contact|first|last)"
)
_NOT_PEOPLE = frozenset({"queueName", "channelName", "tenantId", "branchId"})
_NOT_FIELDS = r"(?i:.*voice-?mail|microphone)"
_FIELD_VALUE = (
    rf"(?i:(?<![\w.])(?:{_PERSON}(?:Name|Email|Phone|Number)?"
    r"|callerId|calleeId|ani|dnis|address|phone|number|extension\w*)"
    r"""(?:"\s*:\s*(?=")|==|!=|=[a-z]+=|:(?!/))\(?(?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s;,()"'?>&]+))"""
)
"""A field with its value, in a filter, a phrase or JSON."""

_LINK = r"https?://[^\s/?]+(?P<rest>[^\s?]*\?\S+)"
_MAIL = r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"
_NUMBER = (
    r"(?i:(?:\+|%2B)\d(?:[ .-]?\(?\d\)?){6,14}(?!\d)"
    r"|(?<![\w.,+-])\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}(?!\d)|(?<![\w.,+])\d{3}[ .-]\d{3}[ .-]\d{4}(?![\w-])"
    r"|(?<![A-Za-z0-9.,])\d{9,15}(?![A-Za-z0-9]))"
)
_MOMENT = r"1\d{9}|1\d{12}|(?:19|20)\d\d[01]\d[0-3]\d(?:[0-2]\d[0-5]\d(?:[0-5]\d)?)?"
"""Digits that are a time, not a phone number: seconds or milliseconds since 1970, or a date."""
_WORD = r"[^\W_]+(?:['\u2019][^\W_]+)*"
_MIN_LETTERS = 3
"""Least letters of a name."""
_KEPT_DIGITS = 4
_GAP = 3
"""Most characters between the words of one name."""
_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"
_WIDE = "アイウエオカキクケコサシスセソタチツテト"


class Mask:
    """Replaces personal data while it is on."""

    def __init__(self, key: bytes | None = None) -> None:
        """Pseudonyms cannot be reversed; with a `key` they are the same in every run."""
        self.on = False
        self._key = key or secrets.token_bytes(16)
        self._learnt: set[str] = set()
        self._names: dict[str, set[tuple[str, ...]]] = {}
        """Names as words, by first word."""
        self._issued: set[str] = set()
        """Pseudonyms, which are not masked again when a text is processed twice."""

    @property
    def known(self) -> int:
        return len(self._learnt)

    def learn(self, entries: Iterable[Entry]) -> None:
        """Learn the names in entries, to recognize them in other texts."""
        for entry in entries:
            if isinstance(entry, StoredObject):
                # The name of a queue also appears as the name of the callee.
                others = {value for name, value in entry.tags if name in _NOT_PEOPLE}
                for name, value in entry.tags:
                    if is_personal(name) and value not in others:
                        self.learn_name(value)

    def learn_table(self, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Learn the names in the columns of a table that hold people."""
        columns = [number for number, title in enumerate(titles) if is_personal(title.strip())]
        for row in rows if columns else ():
            for number in columns:
                if number < len(row):
                    self.learn_name(row[number])

    def learn_name(self, name: str) -> None:
        if name in self._learnt or len(self._learnt) >= MAX_NAMES:
            return
        self._learnt.add(name)
        words = tuple(re.findall(_WORD, name))
        letters = sum(character.isalpha() for character in name)
        if letters < _MIN_LETTERS or "@" in name:
            return
        # A single word is matched only with the same capitals, as it could be any word.
        known = tuple(word.casefold() for word in words) if len(words) > 1 else words
        for order in {known, known[::-1]} if len(words) == 2 else {known}:
            self._names.setdefault(order[0], set()).add(order)

    def learn_title(self, title: str) -> None:
        """Learn the name in a title such as `41 recordings of Khang Glynn`."""
        if " " in (person := title.partition(" of ")[2].partition(",")[0]):
            self.learn_name(person)

    def field(self, name: str, value: str) -> str:
        """The value of a field or tag, replaced if the field holds a name or number."""
        return self._pseudonym(value) if self.on and is_personal(name) else value

    def path(self, path: PurePath) -> str:
        """A local path; only the file name while masked, as folders may be named after unknown people."""
        return f"…/{path.name}" if self.on else str(path)

    def text(self, text: str) -> str:
        """Any text with personal data replaced; same length and width."""
        if not self.on or not text:
            return text
        text = re.sub(_LINK, _without_rest, text)
        text = re.sub(_FIELD_VALUE, self._mask_value, text)
        text = re.sub(_MAIL, lambda found: self._mail(found[0]), text)
        text = re.sub(_NUMBER, lambda found: self._number(found[0]), text)
        return self._without_names(text) if self._names else text

    def _mask_value(self, found: re.Match[str]) -> str:
        value = found["value"]
        bare = value.strip("\"'*")
        if len(bare) >= _MIN_LETTERS and not self._is_pseudonym(bare):
            self.learn_name(bare)
        return found[0][: found.start("value") - found.start()] + self._pseudonym(value)

    def _without_names(self, text: str) -> str:
        words = [(found.start(), found.end(), found[0], found[0].casefold()) for found in re.finditer(_WORD, text)]
        pieces, end, index = [], 0, 0
        while index < len(words):
            length = self._name_at(words, index)
            if length:
                start, stop = words[index][0], words[index + length - 1][1]
                pieces += [text[end:start], self._pseudonym(text[start:stop])]
                end = stop
            index += length or 1
        return "".join([*pieces, text[end:]])

    def _name_at(self, words: list[tuple[int, int, str, str]], index: int) -> int:
        """How many words of a name begin at this word; 0 if none."""
        _start, _end, word, folded = words[index]
        best = 1 if (word,) in self._names.get(word, ()) else 0
        for name in self._names.get(folded, ()):
            candidate = words[index : index + len(name)]
            is_one = all(after[0] - before[1] <= _GAP for before, after in pairwise(candidate))
            if len(name) > max(best, 1) and is_one and tuple(part[3] for part in candidate) == name:
                best = len(name)
        return best

    def _pseudonym(self, value: str) -> str:
        """A value of the same width, replaced word by word."""
        if "@" in value and re.search(_MAIL, value):
            return re.sub(_MAIL, lambda found: self._mail(found[0]), value)
        if not any(character.isalpha() for character in value):
            return self._number(value)
        return re.sub(_WORD, lambda found: self._word(found[0]), value)

    def _mail(self, mail: str) -> str:
        if mail in self._issued:
            return mail
        local, _, domain = mail.partition("@")
        host, dot, top = domain.rpartition(".")
        masked = f"{self._word(local)}@{self._word(host)}{dot}{top}"
        self._issued.add(masked)
        return masked

    def _number(self, number: str) -> str:
        """A number of zeros, except the last digits, which distinguish it from others."""
        head = number[:3] if number[:3].upper() == "%2B" else ""
        digits = "".join(filter(str.isdecimal, number[len(head) :]))
        if not digits or _is_pseudonym(digits) or (digits == number and re.fullmatch(_MOMENT, digits)):
            return number
        kept = min(_KEPT_DIGITS, len(digits) - 1)
        last = f"{int.from_bytes(self._hash(digits), 'big') % 10**kept:0{kept}}" if kept else ""
        left = iter("0" * (len(digits) - kept) + last)
        return head + "".join(next(left) if character.isdecimal() else character for character in number[len(head) :])

    def _word(self, word: str) -> str:
        if word.casefold() in self._issued:
            return word
        digest = self._hash(word.casefold())
        masked = "".join(_letter(character, digest, place) for place, character in enumerate(word))
        if len(word) >= _MIN_LETTERS and word.isalpha():
            self._issued.add(masked.casefold())
        return masked

    def _is_pseudonym(self, value: str) -> bool:
        return all(word.casefold() in self._issued for word in re.findall(_WORD, value))

    def _hash(self, value: str) -> bytes:
        return blake2b(value.encode("utf-8", "surrogatepass"), key=self._key, digest_size=32).digest()


MASK = Mask()
"""The mask of the screen."""


@cache
def is_personal(name: str) -> bool:
    """Whether a field or tag holds a name, number or mail address of a person."""
    return re.fullmatch(_FIELDS, name) is not None and re.fullmatch(_NOT_FIELDS, name) is None


def _without_rest(link: re.Match[str]) -> str:
    return link[0][: link.start("rest") - link.start()] + "•" * len(link["rest"])


def _is_pseudonym(digits: str) -> bool:
    return len(digits) > 6 and not digits[:-_KEPT_DIGITS].strip("0")


def _letter(character: str, digest: bytes, place: int) -> str:
    number = digest[place % len(digest)]
    if character.isdecimal():
        return str(number % 10)
    if not character.isalpha():
        return character
    if east_asian_width(character) in "WF":
        return _WIDE[number % len(_WIDE)]
    # Alternate consonants and vowels, so that pseudonyms can be read and remembered.
    letters = _VOWELS if (place + digest[-1]) % 2 else _CONSONANTS
    letter = letters[number % len(letters)]
    return letter.upper() if character.isupper() else letter


# On the screen


@dataclass(frozen=True)
class MaskFilter(LineFilter):
    """Masks typed text, and text that widgets were given before masking was switched on."""

    known: int
    """How many names are known; a change makes Textual redraw cached lines."""
    enabled: bool = True

    def apply(self, segments: list[Segment], _: Color) -> list[Segment]:
        """The line with pseudonyms, in the same styles."""
        text = "".join(segment.text for segment in segments)
        masked_text = MASK.text(text)
        if masked_text == text or len(masked_text) != len(text):
            return segments
        masked, at = [], 0
        for part, style, control in segments:
            masked.append(Segment(masked_text[at : at + len(part)], style, control))
            at += len(part)
        return masked


def mask_filters() -> tuple[LineFilter, ...]:
    """The filters for drawn lines: one while masked, else none."""
    return (MaskFilter(MASK.known),) if MASK.on else ()
