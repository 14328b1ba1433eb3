"""Transcripts: who said what, and when. Every vendor names these differently in JSON; captions have three formats."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.parsers.expat import ExpatError, ParserCreate

from cloudstore_tui.preview.model import Dialogue, Preview, Turn, clock
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.structured import MAX_NODES, NotJsonError, Value, json_value
from cloudstore_tui.preview.text import DecodedText

_TEXTS = (
    "decoratedtext", "text", "transcript", "utterance", "sentence", "content", "message", "body", "display",
    "displaytext", "caption", "phrase",
)  # fmt: skip
_SPEAKERS = (
    "speaker", "speakername", "speakerlabel", "speakertag", "participantrole", "participantpurpose", "participant",
    "role", "party", "author", "sender", "from", "agent",
)  # fmt: skip
_CHANNELS = ("channel", "channeltag", "channellabel", "speakerid", "participantid", "userid", "user")
_STARTS = (
    "start", "starttime", "startoffset", "begin", "begintime", "beginoffset", "timestampstart", "starttimestamp",
    "offset", "timestamp", "time", "ts", "s",
)  # fmt: skip
_ENDS = ("end", "endtime", "endoffset", "timestampend", "stop")
_DATES = ("timestamp", "time", "ts")
"""Times that any object may have, not only something that was said."""
_UNITS = (("ms", 1e-3), ("millis", 1e-3), ("milliseconds", 1e-3), ("inticks", 1e-7), ("ticks", 1e-7), ("seconds", 1.0))
_WORD_LISTS = ("words", "events", "items", "tokens")
_WORD = ("punctuatedword", "word", "text", "content", "w", "value")
_OTHER_FIELDS = frozenset({"question", "answer", "answers", "price", "sku", "quantity", "product", "url", "score"})
_OTHER_LISTS = frozenset({"questions", "answers", "products", "topics", "categories", "options"})
_FACTS = ("language", "languageCode", "agent", "caller", "duration", "confidence", "provider", "model")
_MIN_SHARE = 0.6
"""The share of the items of a list that must contain text."""
MAX_TURNS = 20_000
_MAX_DEPTH = 8
_PAUSE_S = 2.0
"""Seconds between the starts of two words that separate turns."""
_DAY_S = 86_400
_TIME = re.compile(r"PT(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?\Z")


class TimedText(NamedTuple):
    """Something that was said, with times as written."""

    speaker: str
    start: float | None
    text: str
    unit: float = 0.0
    """The unit of its times in seconds; 0 if unknown."""
    end: float = 0.0


def transcript_preview(decoded: DecodedText, sample: Sample) -> Preview | None:
    """A dialogue; `None` if the text is not a transcript."""
    text = decoded.text.lstrip("\ufeff \t\r\n")
    facts: tuple[tuple[str, str], ...] = ()
    notes: list[str] = [*decoded.notes]
    if text.startswith(("{", "[")):
        if '":' not in text and '" :' not in text:
            return None
        try:
            document, is_cut = json_value(text)
        except NotJsonError:
            return None
        if is_cut:
            notes.append(f"Only the first {MAX_NODES:,} values of its JSON were read.")
        turns = _in_seconds(_find_turns(document), document, sample)
        facts = _facts(document)
    else:
        turns = _captions(text, sample)
    if not turns:
        return None
    if sample.facts.speaker and not any(turn.speaker for turn in turns):
        turns = [Turn(sample.facts.speaker, turn.start, turn.text) for turn in turns]
    if len(turns) > MAX_TURNS:
        notes.append(f"Only the first {MAX_TURNS:,} turns are shown.")
    return Preview("transcript", Dialogue(tuple(turns[:MAX_TURNS])), facts, tuple(notes), decoded.encoding)


# JSON


def _find_turns(document: Value) -> list[TimedText]:
    """What was said, from the list in the document that names several speakers, or else holds most text."""
    for reader in (_amazon, _ibm, _rev, _voicebase):
        if found := reader(document):
            return found
    candidates = [_turns_of_list(name, items) for name, items in _lists(document)]
    best = max(candidates, key=_score, default=[])
    return _join_words(best) if _is_word_list(best) else best


def _score(turns: list[TimedText]) -> tuple[bool, int]:
    return len({turn.speaker for turn in turns}) > 1, sum(len(turn.text) for turn in turns)


def _lists(document: Value) -> Iterator[tuple[str, list[Value]]]:
    """Lists of objects near the top, with their names; lists of the same name on one level are joined."""
    level: list[tuple[str, Value]] = [("", document)]
    for _ in range(_MAX_DEPTH):
        below: list[tuple[str, Value]] = []
        joined: dict[str, list[Value]] = {}
        for name, value in level[:2000]:
            if isinstance(value, list):
                joined.setdefault(name, []).extend(value)
                below.extend((name, item) for item in value[:200])
            elif isinstance(value, dict):
                below.extend((_normalized(key), item) for key, item in value.items())
        for name, items in joined.items():
            if any(isinstance(item, dict) for item in items):
                yield name, items
        level = [(name, value) for name, value in below if isinstance(value, dict | list)]


def _turns_of_list(name: str, items: list[Value]) -> list[TimedText]:
    """The turns in a list; empty if it holds other things."""
    if name in _OTHER_LISTS:
        return []
    turns = [turn for item in items if (turn := _turn(item)) is not None]
    if len(turns) < _MIN_SHARE * len(items):
        return []
    named = sum(1 for turn in turns if turn.speaker or turn.start is not None)
    return turns if named >= _MIN_SHARE * len(turns) else []


def _turn(item: Value) -> TimedText | None:
    fields = _with_inner(_by_normalized_name(item)) if isinstance(item, dict) else {}
    if _OTHER_FIELDS & fields.keys():
        return None
    text = _first_text(fields, _TEXTS) or _join_word_list(fields) or _first_text(fields, _WORD)
    if not text:
        return None
    speaker, (start, unit, is_date) = _speaker(fields), _start(fields)
    if is_date and not speaker:
        # Anything may have a date, but a turn also has a speaker.
        start = None
    if start is None:
        start, unit = _start_of_first_word(fields)
    end = next((end for name in _ENDS if (end := _parse_time(fields.get(name))[0]) is not None), 0.0)
    return TimedText(speaker, start, " ".join(text.split()), unit, end)


def _with_inner(fields: dict[str, Value]) -> dict[str, Value]:
    """The fields of a turn, merged with those of its best alternative and its details."""
    for name in ("alternatives", "nbest", "metadata"):
        inner = fields.get(name)
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if isinstance(inner, dict):
            fields = {**_by_normalized_name(inner), **fields}
    return fields


def _normalized(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


def _by_normalized_name(item: dict[str, Value]) -> dict[str, Value]:
    return {_normalized(name): value for name, value in item.items()}


def _first_text(fields: dict[str, Value], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str) and value.strip()), "")


def _join_word_list(fields: dict[str, Value]) -> str:
    """The text of a turn whose words are in a list."""
    for name in _WORD_LISTS:
        words = fields.get(name)
        if isinstance(words, list):
            said = (word if isinstance(word, str) else _word(word) for word in words)
            return " ".join(word for word in said if word)
    return ""


def _word(value: Value) -> str:
    return _first_text(_by_normalized_name(value), _WORD) if isinstance(value, dict) else ""


def _speaker(fields: dict[str, Value]) -> str:
    for name in (*_SPEAKERS, *_CHANNELS):
        value = fields.get(name)
        if isinstance(value, dict):
            value = _first_text(_by_normalized_name(value), ("name", "displayname", "role", "id"))
        if isinstance(value, str) and value.strip():
            return value.strip()[:60]
        if isinstance(value, float) and not isinstance(value, bool) and abs(value) < 1e9:
            return f"{name.removesuffix('id').removesuffix('tag')} {value:g}"
    return ""


def _start(fields: dict[str, Value]) -> tuple[float | None, float, bool]:
    """When it begins, the unit in seconds (0 if unknown), and whether it is one of `_DATES`."""
    for name in ("starttimems", "startms", *_STARTS):
        for key, unit in ((name, 0.0), *((name + ending, unit) for ending, unit in _UNITS)):
            found, own_unit = _parse_time(fields.get(key))
            if found is not None:
                unit = 1e-3 if key in ("starttimems", "startms") else unit
                return found, unit or own_unit, key in _DATES
    for key in ("offsets", "timestamps"):
        if isinstance(inner := fields.get(key), dict):
            found, own_unit = _parse_time(inner.get("from"))
            if found is not None:
                return found, own_unit or 1e-3, False
    return None, 0.0, False


def _parse_time(value: Value) -> tuple[float | None, float]:
    """A time as written, and its unit in seconds; 0 if the value does not show it."""
    if isinstance(value, bool):
        return None, 0.0
    if isinstance(value, float):
        return (value, 0.0) if 0 <= value < 1e18 else (None, 0.0)
    if isinstance(value, str):
        return _parse_clock(value)
    if isinstance(value, dict):
        fields = _by_normalized_name(value)
        parts = [(fields.get(name), unit) for name, unit in (("seconds", 1.0), ("nanos", 1e-9), ("milliseconds", 1e-3))]
        known = [float(part) * unit for part, unit in parts if isinstance(part, float) and not isinstance(part, bool)]
        return (sum(known), 1.0) if known else (None, 0.0)
    return None, 0.0


def _parse_clock(text: str) -> tuple[float | None, float]:
    """`1:02:03.5`, `62.5s`, `PT1M2.5S` or `62.5`."""
    text = text.strip()
    if found := _TIME.match(text):
        hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return hours * 3600 + minutes * 60 + seconds, 1.0
    has_unit = ":" in text or text.endswith("s")
    parts = text.removesuffix("s").replace(",", ".").split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None, 0.0
    if len(numbers) > 3 or not all(0 <= number < 1e18 for number in numbers):
        return None, 0.0
    return sum(number * 60.0**place for place, number in enumerate(reversed(numbers))), 1.0 if has_unit else 0.0


def _start_of_first_word(fields: dict[str, Value]) -> tuple[float | None, float]:
    words = fields.get("words")
    if isinstance(words, list) and words and isinstance(words[0], dict):
        start, unit, _ = _start(_by_normalized_name(words[0]))
        return start, unit
    return None, 0.0


def _is_word_list(turns: Sequence[TimedText]) -> bool:
    """Whether a list holds single words rather than turns."""
    return len(turns) > 1 and sum(" " in turn.text for turn in turns) < 0.1 * len(turns)


def _join_words(words: Iterable[TimedText]) -> list[TimedText]:
    """Consecutive words of one person as one turn."""
    turns: list[TimedText] = []
    texts: list[str] = []
    latest = 0.0
    for word in words:
        is_new = turns and word.start is not None and (word.start - latest) * (word.unit or 1.0) > _PAUSE_S
        if not turns or is_new or (word.speaker and word.speaker != turns[-1].speaker):
            if turns:
                turns[-1] = turns[-1]._replace(text=_sentence(texts))
            turns.append(word)
            texts = []
        texts.append(word.text)
        latest = word.start if word.start is not None else latest
    if turns:
        turns[-1] = turns[-1]._replace(text=_sentence(texts))
    return turns


def _sentence(words: list[str]) -> str:
    text = " ".join(words)
    return re.sub(r" ([.,!?;:…])", r"\1", text)


def _in_seconds(texts: list[TimedText], document: Value, sample: Sample) -> list[Turn]:
    """With times in seconds; absolute times become relative to the first."""
    starts = [turn.start * (turn.unit or 1.0) for turn in texts if turn.start is not None]
    if not starts:
        return [Turn(turn.speaker, None, turn.text) for turn in texts]
    factor, shift = 1.0, 0.0
    if not any(turn.unit for turn in texts):
        factor = _guess_unit([*starts, *(turn.end for turn in texts if turn.end)], document, sample)
    if min(starts) * factor > 1e8:
        shift = min(starts) * factor
    return [
        Turn(turn.speaker, None if turn.start is None else turn.start * (turn.unit or 1.0) * factor - shift, turn.text)
        for turn in texts
    ]


def _guess_unit(starts: list[float], document: Value, sample: Sample) -> float:
    """Seconds or milliseconds, judged by the duration of the whole."""
    if min(starts) > 1e8:
        return 1e-3 if min(starts) > 1e11 else 1.0
    total = sample.facts.seconds
    for name in ("duration", "audio_duration"):
        if isinstance(document, dict) and isinstance(document.get(name), float):
            total = total or float(str(document[name]))
    latest = max(starts)
    is_whole = all(start == int(start) for start in starts)
    if latest > _DAY_S or (total and latest > 20 * total and is_whole):
        return 1e-3
    return 1.0


# Vendors that list words and speakers separately


def _path(value: Value, *names: str) -> Value:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _dicts(value: Value) -> list[dict[str, Value]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _seconds(value: Value) -> float | None:
    return _parse_time(value)[0]


def _amazon(document: Value) -> list[TimedText]:
    """Amazon Transcribe: words in `items`, speakers in `speaker_labels` or by channel."""
    results = _path(document, "results")
    if _dicts(_path(results, "audio_segments")) or not _dicts(_path(results, "items")):
        return []
    channels = _dicts(_path(results, "channel_labels", "channels"))
    if channels:
        turns: list[TimedText] = []
        for channel in channels:
            name = str(channel.get("channel_label", ""))
            items = _dicts(channel.get("items"))
            words = [TimedText(name, _seconds(item.get("start_time")), _amazon_word(item), 1.0) for item in items]
            turns += _join_words(words)
        return sorted(turns, key=lambda turn: turn.start or 0.0)
    labels = [
        (_seconds(segment.get("start_time")) or 0.0, str(segment.get("speaker_label", "")))
        for segment in _dicts(_path(results, "speaker_labels", "segments"))
    ]
    return _labelled(
        [(_seconds(item.get("start_time")), _amazon_word(item)) for item in _dicts(_path(results, "items"))], labels
    )


def _amazon_word(item: dict[str, Value]) -> str:
    best = _dicts(item.get("alternatives"))
    return str(best[0].get("content", "")) if best else ""


def _labelled(words: list[tuple[float | None, str]], labels: list[tuple[float, str]]) -> list[TimedText]:
    """Turns of words, each spoken by the last label that begins before it."""
    texts: list[TimedText] = []
    place, speaker = 0, ""
    for start, text in words:
        while start is not None and place < len(labels) and labels[place][0] <= start + 0.005:
            speaker = labels[place][1]
            place += 1
        texts.append(TimedText(speaker, start, text, 1.0))
    return _join_words(texts)


def _ibm(document: Value) -> list[TimedText]:
    """IBM Speech to Text: words in `timestamps`, speakers in `speaker_labels`."""
    words: list[tuple[float | None, str]] = []
    turns: list[TimedText] = []
    for result in _dicts(_path(document, "results")):
        best = next(iter(_dicts(result.get("alternatives"))), {})
        times = best.get("timestamps")
        if not isinstance(times, list) or not isinstance(best.get("transcript"), str):
            return []
        rows = [row for row in times if isinstance(row, list) and len(row) >= 2]
        words += [(_seconds(row[1]), str(row[0])) for row in rows]
        turns.append(TimedText("", _seconds(rows[0][1]) if rows else None, str(best["transcript"]).strip(), 1.0))
    labels = [
        (_seconds(label.get("from")) or 0.0, f"speaker {label.get('speaker', ''):g}")
        for label in _dicts(_path(document, "speaker_labels"))
        if isinstance(label.get("speaker"), float)
    ]
    return _labelled(words, labels) if labels else turns


def _rev(document: Value) -> list[TimedText]:
    """Rev: monologues of words and punctuation."""
    turns = []
    for monologue in _dicts(_path(document, "monologues")):
        elements = _dicts(monologue.get("elements"))
        start = next((moment for element in elements if (moment := _seconds(element.get("ts"))) is not None), None)
        text = "".join(str(element.get("value", "")) for element in elements)
        turns.append(TimedText(_speaker(_by_normalized_name(monologue)), start, text.strip(), 1.0))
    return turns


def _voicebase(document: Value) -> list[TimedText]:
    """Voicebase: words, with the changes of speaker among them."""
    words = _dicts(_path(document, "transcript", "words"))
    if not any(word.get("m") == "turn" for word in words):
        return []
    speaker, texts = "", []
    for word in words:
        text = str(word.get("w", "")).strip()
        if word.get("m") == "turn":
            speaker = text.rstrip(":")
        else:
            texts.append(TimedText(speaker, _seconds(word.get("s")), text, 1e-3))
    return _join_words(texts)


# Captions


def _captions(text: str, sample: Sample) -> list[Turn]:
    """WebVTT, SubRip or TTML."""
    if text.startswith("WEBVTT"):
        return list(_cues(text))
    if "<tt" in text[:2000] and (text.startswith("<") or sample.facts.extension in ("ttml", "dfxp")):
        return _ttml(text)
    return list(_cues(text)) if re.match(r"\d+[ \t]*\r?\n\d+:\d\d:\d\d[,.]\d+[ \t]*-->", text) else []


_CUE = re.compile(r"((?:\d+:)?\d\d:\d\d[.,]\d{1,3})[ \t]*-->")
_VOICE = re.compile(r"<v(?:\.[^ >]*)?[ \t]+([^>]*)>")
_NAMED = re.compile(r"(?:&gt;&gt; *|>> *|- *)?([A-Z][\w .'-]{0,30}):\s+(?=\S)")


def _cues(text: str) -> Iterator[Turn]:
    """WebVTT and SubRip: blocks with a line of times, then text."""
    for block in re.split(r"\r?\n[ \t]*\r?\n", text):
        lines = block.strip().splitlines()
        place = next((place for place, line in enumerate(lines[:3]) if _CUE.match(line.strip())), None)
        if place is None:
            continue
        start, _ = _parse_clock(lines[place].partition("-->")[0])
        speaker = ""
        said: list[str] = []
        for line in lines[place + 1 :]:
            name, words = _speaker_of_line(line)
            if name and said and name != speaker:
                yield Turn(speaker, start, " ".join(said))
                said = []
            speaker = name or speaker
            said.append(words)
        if said:
            yield Turn(speaker, start, " ".join(" ".join(said).split()))


def _speaker_of_line(line: str) -> tuple[str, str]:
    """Speaker and text of a line of a caption, without tags."""
    voice = _VOICE.search(line)
    words = _unescape(re.sub(r"<[^>]*>|\{\\[^}]*\}", "", line)).strip()
    if voice:
        return voice.group(1).strip()[:60], words
    if named := _NAMED.match(words):
        return named.group(1).strip(), words[named.end() :]
    return "", words


def _unescape(text: str) -> str:
    for code, letter in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")):
        text = text.replace(code, letter)
    return text


def _ttml(text: str) -> list[Turn]:
    """TTML: paragraphs with a start time; the speaker is an agent of the header, or a role."""
    if "<!ENTITY" in text:
        return []
    turns: list[Turn] = []
    names: dict[str, str] = {}
    reader = _TtmlReader(turns, names)
    parser = ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(re.sub(r"^<\?xml[^>]*\?>", "", text).encode("utf-8", "replace"), True)
    except ExpatError:
        # It is cut off; what came before is right all the same.
        return turns
    return turns


class _TtmlReader:
    def __init__(self, turns: list[Turn], names: dict[str, str]) -> None:
        self._turns = turns
        self._names = names
        self._agent = ""
        self._line: tuple[str, float | None] | None = None
        self._words = ""

    def start(self, name: str, given: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "agent":
            self._agent = given.get("xml:id", "")
        elif name == "p":
            speaker = given.get("ttm:agent") or given.get("ttm:role") or ""
            self._line, self._words = (speaker, _parse_clock(given.get("begin", ""))[0]), ""
        elif name == "br":
            self._words += " "

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "name" and self._agent:
            self._names[self._agent] = self._words.strip()
        elif name == "p" and self._line is not None:
            speaker, start = self._line
            if text := " ".join(self._words.split()):
                self._turns.append(Turn(self._names.get(speaker, speaker), start, text))
            self._line = None
        if name in ("p", "name", "agent"):
            self._words = ""

    def data(self, text: str) -> None:
        self._words += text


def _facts(document: Value) -> tuple[tuple[str, str], ...]:
    if not isinstance(document, dict):
        return ()
    found = []
    for name in _FACTS:
        value = document.get(name)
        if isinstance(value, str) and value:
            found.append(("language" if name == "languageCode" else name, value[:200]))
        elif isinstance(value, float) and not isinstance(value, bool) and 0 <= value < 1e9:
            found.append((name, _fact_text(name, value)))
    return tuple(found)


def _fact_text(name: str, value: float) -> str:
    if name == "duration":
        return clock(value)
    return f"{value:.0%}".replace("%", " %") if name == "confidence" and value <= 1 else f"{value:g}"
