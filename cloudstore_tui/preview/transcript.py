"""Transcripts: who said what, and when. Every vendor's JSON names these differently."""

from dataclasses import dataclass

from cloudstore_tui.preview.encoding import Decoded
from cloudstore_tui.preview.facts import Facts
from cloudstore_tui.preview.json_events import NoJsonError
from cloudstore_tui.preview.json_value import Value, json_value
from cloudstore_tui.preview.preview import Dialogue, Preview, Turn

_TEXTS = ("text", "transcript", "utterance", "sentence", "content", "message", "body", "display")
_SPEAKERS = ("speaker", "speakername", "speakerlabel", "participant", "role", "party", "author", "sender", "from")
_CHANNELS = ("channel", "speakerid", "participantid", "channeltag", "name", "user")
_STARTS = ("start", "starttime", "startoffset", "begin", "offset", "startms", "time", "timestamp", "ts")
_WORDS = ("words", "events", "items", "tokens")
_WORD = ("word", "text", "punctuatedword", "content")
_FACTS = ("language", "agent", "caller", "duration", "confidence", "provider", "model")
_FEWEST = 0.6
"""The share of the things in a list that must have words in them."""
_MOST_TURNS = 20_000
_DAY = 86_400


def transcript_preview(decoded: Decoded, facts: Facts) -> Preview | None:
    """A dialogue; `None` if the text is no transcript."""
    if not decoded.text.lstrip().startswith(("{", "[")):
        return None
    try:
        document = json_value(decoded.text)
    except NoJsonError:
        return None
    spoken = _best(document)
    if not spoken:
        return None
    speaker = facts.speaker if len({turn.speaker for turn in spoken}) == 1 and not spoken[0].speaker else ""
    turns = tuple(Turn(turn.speaker or speaker, turn.start, turn.text) for turn in _in_seconds(spoken, document, facts))
    return Preview("transcript", Dialogue(turns), _facts(document), encoding=decoded.encoding)


@dataclass(frozen=True, slots=True)
class _Spoken:
    speaker: str
    start: float | None
    text: str
    is_long: bool
    """Whether the time is in thousandths by its name."""


def _best(document: Value) -> list[_Spoken]:
    """The list in a document that holds most turns."""
    best: list[_Spoken] = []
    for items in _lists(document):
        turns = [turn for item in items[:_MOST_TURNS] if (turn := _turn(item)) is not None]
        if len(turns) > len(best) and len(turns) >= _FEWEST * min(len(items), _MOST_TURNS):
            best = turns
    named = sum(1 for turn in best if turn.speaker or turn.start is not None)
    return best if named >= _FEWEST * len(best) else []


def _lists(document: Value) -> list[list[Value]]:
    """Lists of objects near the top."""
    found: list[list[Value]] = []
    level: list[Value] = [document]
    for _ in range(4):
        below: list[Value] = []
        for value in level[:50]:
            if isinstance(value, list):
                found.append(value)
                below.extend(value[:3])
            elif isinstance(value, dict):
                below.extend(value.values())
        level = [value for value in below if isinstance(value, dict | list)]
    return [items for items in found if any(isinstance(item, dict) for item in items)]


def _turn(item: Value) -> _Spoken | None:
    if not isinstance(item, dict):
        return None
    fields = {name.lower().replace("_", ""): value for name, value in item.items()}
    nested = fields.get("metadata")
    if isinstance(nested, dict):
        fields = {name.lower().replace("_", ""): value for name, value in nested.items()} | fields
    text = _first_text(fields, _TEXTS) or _joined(fields)
    if not text:
        return None
    start, name = _start(fields)
    return _Spoken(_speaker(fields), start, " ".join(text.split()), name.endswith("ms"))


def _first_text(fields: dict[str, Value], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str) and value.strip()), "")


def _joined(fields: dict[str, Value]) -> str:
    """The words of a turn that are listed one by one."""
    for name in _WORDS:
        words = fields.get(name)
        if isinstance(words, list):
            said = (word if isinstance(word, str) else _word(word) for word in words[:5000])
            return " ".join(word for word in said if word)
    return ""


def _word(value: Value) -> str:
    if not isinstance(value, dict):
        return ""
    return _first_text({name.lower().replace("_", ""): text for name, text in value.items()}, _WORD)


def _speaker(fields: dict[str, Value]) -> str:
    for name in (*_SPEAKERS, *_CHANNELS):
        value = fields.get(name)
        if isinstance(value, dict):
            value = _first_text(
                {key.lower(): text for key, text in value.items()}, ("name", "displayname", "role", "id")
            )
        if isinstance(value, str) and value.strip():
            return value.strip()[:60]
        if isinstance(value, float) and not isinstance(value, bool) and abs(value) < 1e9:
            return f"{name.removesuffix('id').removesuffix('tag')} {value:g}"
    return ""


def _start(fields: dict[str, Value]) -> tuple[float | None, str]:
    for name in _STARTS:
        value = fields.get(name)
        if isinstance(value, float) and not isinstance(value, bool) and 0 <= value < 1e15:
            return value, name
        if isinstance(value, str) and (seconds := _clock(value)) is not None:
            return seconds, name
    return None, ""


def _clock(text: str) -> float | None:
    """`1:02:03.5`, `62.5s` or `62.5` as seconds."""
    parts = text.strip().removesuffix("s").replace(",", ".").split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if len(numbers) > 3 or not all(0 <= number < 1e9 for number in numbers):
        return None
    return sum(number * 60.0**place for place, number in enumerate(reversed(numbers)))


def _in_seconds(spoken: list[_Spoken], document: Value, facts: Facts) -> list[_Spoken]:
    """Times in thousandths made seconds, and times of day counted from the first."""
    starts = [turn.start for turn in spoken if turn.start is not None]
    if not starts:
        return spoken
    latest, told = max(starts), facts.seconds
    if told is None and isinstance(document, dict) and isinstance(document.get("duration"), float):
        told = float(str(document["duration"]))
    shift, factor = 0.0, 1.0
    if min(starts) > 1e8:
        shift, factor = min(starts), 0.001 if min(starts) > 1e11 else 1.0
    elif any(turn.is_long for turn in spoken) or latest > _DAY or (told and latest > 20 * told):
        factor = 0.001
    return [
        _Spoken(turn.speaker, None if turn.start is None else (turn.start - shift) * factor, turn.text, is_long=False)
        for turn in spoken
    ]


def _facts(document: Value) -> tuple[tuple[str, str], ...]:
    if not isinstance(document, dict):
        return ()
    found = []
    for name in _FACTS:
        value = document.get(name)
        if isinstance(value, str) and value:
            found.append((name, value[:200]))
        elif isinstance(value, float) and not isinstance(value, bool):
            found.append((name, f"{value:g} s" if name == "duration" else f"{value:g}"))
    return tuple(found)
