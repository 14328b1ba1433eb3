"""Suggestions while a search is typed: keys, values of loaded rows, saved and earlier searches."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from msgspec import Struct

from cloudstore_tui.core.models import Entry, StoredObject
from cloudstore_tui.core.text import unaccented
from cloudstore_tui.fiql.fields import (
    ALIASES,
    CONTENT_FIELDS,
    KNOWN_FIELDS,
    NAMES,
    STATES,
    TYPE_NAMES,
    TYPE_WORDS,
    TYPES,
    Unit,
    has_tag,
    name_of,
    unit_of,
)
from cloudstore_tui.fiql.phrases import phrase_value
from cloudstore_tui.fiql.syntax import LIST_OPERATORS, OPERATORS, quote
from cloudstore_tui.state.searches import SIGN, SavedSearch
from cloudstore_tui.ui.browser.search_meaning import QUOTES, Token, TokenPart, tokens_of

MAX_NAMES = 200
"""Fields and tags whose values are remembered."""
MAX_VALUES = 300
"""Values remembered of one name."""
LONGEST = 80
"""Characters of a name or a value; longer ones are not suggested."""


class Vocabulary:
    """The names and values of fields and tags in the loaded rows of one profile, where they are worth suggesting."""

    def __init__(self) -> None:
        self._values: dict[str, Counter[str]] = {}

    def learn(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, StoredObject):
                for name, value in (("type", entry.type), ("mimeType", entry.mime), *entry.tags):
                    self._count(name, value)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of tags, in the order in which they were first seen."""
        return tuple(self._values)

    def values(self, name: str) -> tuple[tuple[str, int], ...]:
        """The values of a field or tag, and in how many rows; the most frequent first."""
        return tuple(self._values.get(name, Counter()).most_common())

    def _count(self, name: str, value: str) -> None:
        seen = self._values.get(name)
        if seen is None:
            if not value or not _is_short(name) or len(self._values) >= MAX_NAMES:
                return
            seen = self._values[name] = Counter()
        if value in seen:
            seen[value] += 1
        elif len(seen) < MAX_VALUES and _is_short(value) and unit_of(name) is Unit.TEXT and name != "duration":
            seen[value] = 1


def _is_short(text: str) -> bool:
    return bool(text) and len(text) <= LONGEST and text.isprintable()


MAX_SUGGESTIONS = 100
"""Completions at one position."""
MAX_ALIKE = 8
"""Known values that match words without a key."""

_OMITTED_KEYS = (
    *(("agent", "agentName"), ("user", "userName"), ("queue", "queueName"), ("channel", "channelName")),
    *(("caller", "callerName"), ("called", "calleeName"), ("caller", "callerId"), ("called", "calleeId")),
    *(("phone", "address"), ("ext", "extensionNumber")),
)
"""Keys whose values people type without the key, and the fields they stand for."""
_WORD = re.compile(r"[^\s\"'*=<>~();-][^\s\"'*=<>~();]*")
_WHOLE_NUMBER = re.compile(r"[+(]?\d(?:[ ().-]{0,2}\d){9,14}(?=[\s,]|$)", re.ASCII)
"""A complete telephone number: it needs no guess."""
_MIN_WORD = 2
"""Letters that a word needs before values containing it are suggested."""

_WORD_FOLLOWS = re.compile(r"[^\s,;()]")
_HALF_OPERATOR = re.compile(r"([^\W\d][\w.-]*)(=[a-z]*|!)")
_SIGNS = "<>"
_PLAIN_WORD = re.compile(r"[^\s,:;\"'*…()<>=~!-][^\s,;\"'*…()]*")
_OPERATORS: Mapping[str, str] = {
    "==": "is",
    "!=": "is not",
    "=gt=": "more than, after",
    "=ge=": "at least, on or after",
    "=lt=": "less than, before",
    "=le=": "at most, on or before",
    "=in=": "is one of a list",
    "=out=": "is none of a list",
}
_TIMES = ("today", "yesterday", "last 7 days", "last 30 days", "this week", "last week", "this month", "last month")
_LENGTHS = {">1m": "longer than a minute", ">10m": "longer than ten minutes", "1m..5m": "from one to five minutes"}
_SIZES = {">10MB": "more than ten megabytes", "<1MB": "less than one megabyte"}
_EXAMPLES: Mapping[Unit, Mapping[str, str]] = {
    Unit.EPOCH_MS: dict.fromkeys(_TIMES, "or 2024-09-01, 2024-09, 7d"),
    Unit.MILLISECONDS: _LENGTHS,
    Unit.SECONDS: _LENGTHS,
    Unit.BYTES: _SIZES,
}


class Suggestion(Struct, frozen=True):
    """A text that replaces `start:end` of what was typed."""

    text: str
    note: str = ""
    """What it means."""
    start: int = 0
    end: int = 0

    @property
    def label(self) -> str:
        """The text as shown: a value without the quotes that it needs in a phrase."""
        inner = self.text[1:-1]
        return inner if self.text[:1] in QUOTES and self.text == f"{self.text[0]}{inner}{self.text[0]}" else self.text

    def put_into(self, text: str) -> tuple[str, int]:
        """The text with the suggestion in it, and the position of the cursor behind it."""
        return text[: self.start] + self.text + text[self.end :], self.start + len(self.text)


def suggest(
    text: str, cursor: int, vocabulary: Vocabulary, searches: Sequence[SavedSearch] = ()
) -> tuple[Suggestion, ...]:
    """What could replace the word that ends at the cursor; nothing inside a word."""
    if cursor < len(text) and _WORD_FOLLOWS.match(text, cursor):
        return ()
    head = text[:cursor]
    tokens = list(tokens_of(head))
    last = tokens[-1] if tokens and tokens[-1].end == cursor else None
    typed = last.of(head) if last else ""
    start, found = _Completer(head, tokens, vocabulary, searches).completions(last)
    wanted = "" if last and last.part is TokenPart.PLACEHOLDER else head[start:]
    fitting = _matching_texts(_without_quotes(wanted), found) if wanted else found
    offers = [Suggestion(offer, note, start, cursor) for offer, note in fitting if offer not in (typed, wanted)]
    if last is not None and last.part is TokenPart.TEXT:
        offers += _values_containing(_words_of(reversed(tokens), head)[::-1], head, vocabulary)
    elif offers and last is not None and last.part is TokenPart.VALUE:
        offers += _containing(tokens, head, _without_quotes(wanted))
    return tuple(offers[:MAX_SUGGESTIONS])


def did_you_mean(text: str, vocabulary: Vocabulary) -> tuple[Suggestion, ...]:
    """Whole texts with known people, queues, numbers or types for the words without a key; the best first.

    Empty if no such word is known: it can still be part of a name.
    """
    tokens = list(tokens_of(text))
    if _has_fiql(tokens, text):
        return ()
    choices, position = list[list[Suggestion]](), 0
    while position < len(tokens):
        if number := _WHOLE_NUMBER.match(text, tokens[position].start):
            position = next((at for at, token in enumerate(tokens) if token.start >= number.end()), len(tokens))
            continue
        run = _words_of(tokens[position:], text)
        found: list[Suggestion] = []
        while run and not (found := _values_containing(run, text, vocabulary)):
            run = run[:-1]
        if found:
            choices.append(found)
        position += max(len(run), 1)
    if not choices:
        return ()
    best = _replaced(text, [found[0] for found in choices])
    others = [_replaced(text, [other]) for other in choices[0][1:]] if len(choices) == 1 else []
    notes = [found.note for found in choices[0]] if len(choices) == 1 else [""]
    return tuple(Suggestion(whole, note, 0, len(text)) for whole, note in zip([best, *others], notes, strict=True))


def _words_of(tokens: Iterable[Token], text: str) -> list[Token]:
    """The leading words without a key."""
    return list(takewhile(lambda token: token.part is TokenPart.TEXT and _WORD.fullmatch(token.of(text)), tokens))


def _replaced(text: str, chosen: Sequence[Suggestion]) -> str:
    for one in reversed(chosen):
        text, _cursor = one.put_into(text)
    return text


def _values_containing(run: Sequence[Token], text: str, vocabulary: Vocabulary) -> list[Suggestion]:
    """Known values that contain all words, exact ones first: `khang gl` is `agent:"Khang Glynn"`."""
    words = sorted(unaccented(token.of(text)) for token in run)
    if not run or max(map(len, words)) < _MIN_WORD:
        return []
    found: list[tuple[bool, int, str]] = []
    for key, name in _OMITTED_KEYS:
        for value, times in vocabulary.values(name):
            seen = unaccented(value)
            if all(word in seen for word in words):
                found.append((sorted(seen.split()) != words, -times, f"{key}:{_phrase_word(value)}"))
    if len(words) == 1 and words[0] in TYPE_WORDS:
        seen_types = dict(vocabulary.values("type"))
        found.append((False, -sum(seen_types.get(kind, 0) for kind in TYPE_WORDS[words[0]]), f"type:{words[0]}"))
    start, end = run[0].start, run[-1].end
    return [Suggestion(whole, _row_count(-less), start, end) for _, less, whole in sorted(found)[:MAX_ALIKE]]


def _containing(tokens: Sequence[Token], text: str, typed: str) -> list[Suggestion]:
    """`agent:~kha` for `agent:kha`: any value that contains it."""
    if len(tokens) < 3 or len(typed) < 2 or not _PLAIN_WORD.fullmatch(typed):
        return []
    field, operator, value = tokens[-3:]
    name = name_of(field.of(text).removeprefix("-")) if field.part is TokenPart.FIELD else None
    if name is None or name.values or operator.of(text) != ":" or unit_of(name.fields[0]) is not Unit.TEXT:
        return []
    return [Suggestion(f"~{typed}", f'any {name.word} with "{typed}" in it', value.start, value.end)]


def _row_count(times: int) -> str:
    return f"{times:,} loaded" if times else ""


_Texts = Iterable[tuple[str, str]]
"""Texts, and notes on what they mean."""


class _Completer:
    """Finds what can stand at the end of a text that is typed up to the cursor."""

    def __init__(self, head: str, tokens: list[Token], vocabulary: Vocabulary, searches: Sequence[SavedSearch]) -> None:
        self._head = head
        self._tokens = tokens
        self._vocabulary = vocabulary
        self._saved = searches
        self._is_phrase = not _has_fiql(tokens, head)

    def completions(self, last: Token | None) -> tuple[int, list[tuple[str, str]]]:
        """Where the text to be replaced begins, and what can replace it."""
        start = last.start if last else len(self._head)
        found: _Texts = ()
        if last is None:
            found = (*self._searches(), *self._keys("")) if self._is_phrase else ()
        elif last.part is TokenPart.SAVED:
            found = self._searches()
        elif last.part is TokenPart.TEXT:
            start, found = self._after_text(last)
        elif last.part is TokenPart.FIELD:
            found = self._names(last.of(self._head))
        elif last.part is TokenPart.OPERATOR and last.of(self._head) not in (*OPERATORS, "=") and not self._is_phrase:
            found = self._operators()
        elif last.part is TokenPart.JOIN and not self._is_in_list():
            start, found = last.end, () if last.of(self._head) == ")" else self._names("")
        else:
            is_value = last.part in (TokenPart.VALUE, TokenPart.PLACEHOLDER)
            start, found = last.start if is_value else last.end, self._values()
        return start, list(dict(found).items())

    def _searches(self) -> Iterator[tuple[str, str]]:
        if not self._head.strip() or self._head.startswith(SIGN):
            for search in self._saved:
                yield f"{SIGN}{search.name}", search.find

    def _after_text(self, last: Token) -> tuple[int, _Texts]:
        word = last.of(self._head)
        if half := _HALF_OPERATOR.fullmatch(word):
            return last.start + half.start(2), self._operators()
        is_first = len(self._tokens) == 1 and not word.startswith("-")
        return last.start, (*self._keys("-" * word.startswith("-")), *(self._names(word) if is_first else ()))

    def _keys(self, sign: str) -> Iterator[tuple[str, str]]:
        """The keys of phrases."""
        types = self._types()
        for name in NAMES.values():
            if not types or any(has_tag(kind, field) for kind in types for field in name.fields):
                yield f"{sign}{name.word}:", ", ".join(name.fields)
        for seen in self._vocabulary.names:
            if seen.isidentifier() and not name_of(seen):
                yield f"{sign}tag.{seen}:", "a tag of loaded rows"

    def _names(self, typed: str) -> Iterator[tuple[str, str]]:
        """Fields and tags as FIQL names them; for one that is complete, also the operators."""
        seen = self._vocabulary.names
        types = self._types()
        if typed in KNOWN_FIELDS or typed in seen:
            yield from ((f"{typed}{sign}", meaning) for sign, meaning in _operators_for(typed))
        for name in (*CONTENT_FIELDS, *seen, *sorted(KNOWN_FIELDS, key=str.lower)):
            if not types or name in seen or any(has_tag(kind, name) for kind in types):
                yield name, str(unit_of(name))

    def _operators(self) -> Iterator[tuple[str, str]]:
        return _operators_for(self._last(TokenPart.FIELD))

    def _values(self) -> Iterator[tuple[str, str]]:
        key = self._last(TokenPart.FIELD)
        if self._is_phrase:
            yield from self._phrase_values(key.removeprefix("-"))
            return
        if key == "type":
            yield from ((kind.name, kind.title) for kind in TYPES)
        elif key == "objectState":
            yield from ((name, "") for name in STATES)
        yield from self._known_values(ALIASES.get(key, key), quote)

    def _phrase_values(self, key: str) -> Iterator[tuple[str, str]]:
        name = name_of(key)
        if name is None:
            return
        if name.values:
            for word, meant in name.values.items():
                yield word, "" if meant == (word,) else ", ".join(meant)
            return
        sign = self._last(TokenPart.OPERATOR).strip(":=")
        for example, note in _EXAMPLES.get(unit_of(name.fields[0]), {}).items():
            if not sign:
                yield example, note
            elif example.startswith(sign[0]):
                yield example.lstrip(_SIGNS), note
        for tag in name.fields:
            yield from self._known_values(tag, _phrase_word)

    def _last(self, part: TokenPart) -> str:
        """The text of the last token of a kind; empty without any."""
        return next((token.of(self._head) for token in reversed(self._tokens) if token.part is part), "")

    def _known_values(self, name: str, write: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        for value, times in self._vocabulary.values(name):
            yield write(value), _row_count(times)

    def _is_in_list(self) -> bool:
        if self._is_phrase:
            return True
        texts = [token.of(self._head) for token in self._tokens]
        opened = [at for at in range(1, len(texts)) if texts[at] == "(" and texts[at - 1] in LIST_OPERATORS]
        return bool(opened) and ")" not in texts[opened[-1] :]

    def _types(self) -> tuple[str, ...]:
        """The types named before the cursor."""
        found: list[str] = []
        key = ""
        for token in self._tokens:
            text = token.of(self._head)
            key = text if token.part is TokenPart.FIELD else key
            if token.part is TokenPart.VALUE and key == "type":
                found += TYPE_WORDS.get(text.lower(), (text,))
        return tuple(name for name in found if name in TYPE_NAMES)


def _has_fiql(tokens: Iterable[Token], text: str) -> bool:
    operators = (token.of(text) for token in tokens if token.part is TokenPart.OPERATOR)
    return any(one in OPERATORS or (one.startswith("=") and len(one) > 1) for one in operators)


def _operators_for(name: str) -> Iterator[tuple[str, str]]:
    ordered = unit_of(name) is not Unit.TEXT or name == "duration"
    first = ("=ge=", "=lt=") if ordered else ("==", "!=")
    for sign in dict.fromkeys((*first, *_OPERATORS)):
        yield sign + ("(" if sign in LIST_OPERATORS else ""), _OPERATORS[sign]


def _phrase_word(value: str) -> str:
    return value if _PLAIN_WORD.fullmatch(value) else phrase_value(value)


def _without_quotes(text: str) -> str:
    """A value as typed so far, without its quotes."""
    return text[1:].rstrip(text[0]) if text[:1] in QUOTES and text else text


def _matching_texts(typed: str, offers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that begin with what was typed, then, unless it is a whole word, those that contain it."""
    wanted = typed.casefold()
    texts = [offer[0].lstrip(QUOTES).casefold() for offer in offers]
    first = [offer for offer, text in zip(offers, texts, strict=True) if text.startswith(wanted)]
    if len(wanted) < 2 or wanted in texts:
        return first
    return first + [offer for offer, text in zip(offers, texts, strict=True) if wanted in text and offer not in first]


def key_at(text: str, cursor: int) -> str:
    """The key of the value being typed at a cursor; empty where no value is being typed."""
    key = ""
    for token in tokens_of(text[:cursor]):
        key = token.of(text) if token.part is TokenPart.FIELD else "" if token.part is TokenPart.TEXT else key
    return key if text[:cursor].rstrip(" ") == text[:cursor] else ""


# Earlier searches


class Recall:
    """Steps through the history, from the newest line to the oldest and back to the draft."""

    def __init__(self) -> None:
        self._lines: tuple[str, ...] = ()
        self._steps = 0
        self._draft = ""

    @property
    def is_active(self) -> bool:
        return self._steps > 0

    def older(self, lines: Sequence[str], text: str) -> str | None:
        """The line before the one shown, `None` at the oldest; `text`, what is typed now, becomes the draft."""
        if not self._steps:
            self._lines, self._draft = tuple(line for line in lines if line != text), text
        if self._steps >= len(self._lines):
            return None
        self._steps += 1
        return self._lines[-self._steps]

    def newer(self) -> str | None:
        """The line after the one shown; after the newest, the draft."""
        if not self._steps:
            return None
        self._steps -= 1
        return self._lines[-self._steps] if self._steps else self._draft

    def forget(self) -> None:
        self._steps = 0


def matching(lines: Sequence[str], text: str) -> tuple[str, ...]:
    """The lines that contain all words of a text in any case, the newest first."""
    words = text.casefold().split()
    return tuple(line for line in reversed(lines) if all(word in line.casefold() for word in words))
