"""The objects of one call: what joins them, their parts, their tree, and their file names."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from cloudstore_tui.core.models import Location, StoredObject, identity
from cloudstore_tui.core.text import folded
from cloudstore_tui.fiql.fields import type_label
from cloudstore_tui.fs.names import fitting_extension

SHARED = ("callId", "originalCallId", "transactionId", "sourceId", "sourceObjectId")
"""Tags whose values the objects of one call share."""

SOURCES = ("sourceId", "sourceObjectId")
"""Tags with the id of the object that this one was made from."""

NAMED_BY = ("callId", "bucketId", "sourceId", "sourceObjectId", "originalCallId", "transactionId", "id")
"""Fields and tags with an id by which a user may name a call."""

_UNKNOWN_VALUES = frozenset({"", "0", "-1"})
"""Values that mean unknown, and would join unrelated objects."""


def terms_of(entry: StoredObject) -> Iterator[tuple[str, str]]:
    """The pairs of field or tag and value by which other objects of the same call are found; a pair may come twice.

    Both directions are included: a transcript names the recording it was made from, and a voicemail the call before it.
    """
    pairs = [("bucketId", entry.bucket_id)]
    pairs += [(key, entry.tag(key)) for key in SHARED]
    pairs += [("id", entry.tag(key)) for key in SOURCES]
    pairs += [(key, entry.id) for key in SOURCES]
    pairs += [("originalCallId", entry.tag("callId")), ("callId", entry.tag("originalCallId"))]
    return ((key, value) for key, value in pairs if value not in _UNKNOWN_VALUES)


def placeholder(where: Location, key: str) -> StoredObject:
    """An object with `key` in every field that can join it to a call."""
    tags = tuple((name, key) for name in SHARED)
    return StoredObject(where, "", id=key, bucket_id=key, tags=tags)


class CallPart(StrEnum):
    """What an object is in its call, in display order."""

    RECORDING = "recording"
    VOICEMAIL = "voicemail"
    TRANSCRIPT = "transcript"
    SUMMARY = "summary"
    SENTIMENT = "sentiment"
    SURVEY = "survey"
    COMMENT = "voice comment"
    NOTES = "notes"
    SCREEN = "screen recording"
    OTHER = "other"


ORDER = {part: number for number, part in enumerate(CallPart)}

_BY_TYPE = {
    "callrecording": CallPart.RECORDING,
    "callcenterrecording": CallPart.RECORDING,
    "voicemail": CallPart.VOICEMAIL,
    "callcentervoicemail": CallPart.VOICEMAIL,
    "transcription": CallPart.TRANSCRIPT,
    "chattranscription": CallPart.TRANSCRIPT,
    "summary": CallPart.SUMMARY,
    "sentimentScore": CallPart.SENTIMENT,
    "postcallsurvey": CallPart.SURVEY,
    "voicecommentrecording": CallPart.COMMENT,
    "agentnotes": CallPart.NOTES,
    "screenrecording": CallPart.SCREEN,
}
_SPEAKERS = {"owner": 1, "agent": 1, "external": 2, "customer": 2}
_MAX_SPEAKER = 24


def part_of(entry: StoredObject) -> CallPart:
    """The part of an object, by its type."""
    return _BY_TYPE.get(entry.type, CallPart.OTHER)


def title_of(entry: StoredObject) -> str:
    """The title of an object in a list or in its call; may hold remote text."""
    part, title = part_of(entry), type_label(entry.type) or "Unknown"
    if part is CallPart.COMMENT and (question := entry.tag("pcsQuestionNumber")):
        return f"{title} {question[:_MAX_SPEAKER]}"
    if part is CallPart.TRANSCRIPT and (who := speaker_of(entry)):
        return f"{title}, {who}"
    return title


def speaker_of(entry: StoredObject) -> str:
    """The speaker of a transcript; empty if it has all of them."""
    if entry.tag("speaker"):
        return entry.tag("speaker")[:_MAX_SPEAKER]
    return "one channel" if entry.tag("sourceObjectType").endswith("channel") else ""


def speaker_rank(entry: StoredObject) -> tuple[int, str]:
    """The sort key of transcripts: the whole call, the agent's side, the other side, others."""
    who = speaker_of(entry)
    return (_SPEAKERS.get(who.lower(), 3) if who else 0, who)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)
_HEADS = (CallPart.RECORDING, CallPart.VOICEMAIL)


class Tie(StrEnum):
    """How a leg is related to the call that was asked for."""

    SELF = "the call"
    BEFORE = "call before"
    AFTER = "call after"
    TRANSFER = "other leg"
    OTHER = "related call"


class CallNode(msgspec.Struct, frozen=True):
    """One object of a call."""

    entry: StoredObject
    part: CallPart
    title: str
    """May hold remote text."""
    children: tuple["CallNode", ...] = ()
    """Transcripts made from it, where they are not of the whole call."""

    def walk(self) -> Iterator["CallNode"]:
        """This node and those below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Leg(msgspec.Struct, frozen=True):
    """The objects of one call id."""

    call_id: str
    """Empty if no object has one."""
    tie: Tie
    nodes: tuple[CallNode, ...]

    def walk(self) -> Iterator[CallNode]:
        """All nodes from top to bottom."""
        for node in self.nodes:
            yield from node.walk()

    @property
    def start(self) -> datetime | None:
        """When it began, or else when its first object was created, at the end of the call or later."""
        return min((moment for node in self.walk() if (moment := _begun(node.entry)) is not None), default=None)


class CallTree(msgspec.Struct, frozen=True):
    """Everything that was found of a call."""

    legs: tuple[Leg, ...]
    """The one that was asked for, then the others by time; empty if nothing was found."""

    @property
    def nodes(self) -> tuple[CallNode, ...]:
        """The nodes of all legs, from top to bottom."""
        return tuple(node for leg in self.legs for node in leg.walk())

    @property
    def entries(self) -> tuple[StoredObject, ...]:
        """All objects, from top to bottom."""
        return tuple(node.entry for node in self.nodes)

    @property
    def start(self) -> datetime | None:
        """When the first leg began."""
        return self.legs[0].start if self.legs else None

    @property
    def representative(self) -> StoredObject | None:
        """An object with all tags of the first leg's objects, from which a folder for the call is named."""
        if not self.legs:
            return None
        entries = [node.entry for node in self.legs[0].walk()]
        tags: dict[str, str] = {}
        for key, value in (tag for entry in entries for tag in entry.tags):
            tags[key] = tags.get(key) or value
        # A call of 8x8 Work has a user instead of an agent.
        tags["agentName"] = tags.get("agentName") or tags.get("userName", "")
        return replace(entries[0], tags=tuple(tags.items()))


def call_tree(entries: Iterable[StoredObject], asked: StoredObject | None = None) -> CallTree:
    """The tree of a call's objects.

    Args:
        entries: the objects, in any order; duplicates are dropped.
        asked: the object whose leg comes first; without one, the earliest leg does.
    """
    unique = {identity(entry): entry for entry in entries}
    groups = _by_leg(sorted(unique.values(), key=_by_time))
    if not groups:
        return CallTree(())
    first = _first(groups, asked)
    others = [call for call in groups if call != first]
    legs = [_leg(first, Tie.SELF, groups[first])]
    legs += [_leg(call, _tie(groups[first], groups[call]), groups[call]) for call in others]
    return CallTree(tuple(legs))


def _begun(entry: StoredObject) -> datetime | None:
    text = entry.tag("startTime")
    # A longer number is beyond the range of datetime.
    if text.isascii() and text.isdigit() and len(text) <= 14:
        return _EPOCH + timedelta(milliseconds=int(text))
    return entry.created


def _by_time(entry: StoredObject) -> tuple[datetime, str, str]:
    return (_begun(entry) or _LATEST, entry.name, entry.id)


def _by_leg(entries: Sequence[StoredObject]) -> dict[str, list[StoredObject]]:
    """Objects by call id, in order; those without one go with their source, or with their bucket."""
    groups: dict[str, list[StoredObject]] = {}
    known: dict[tuple[str, str], str] = {}
    waiting = list(entries)
    # As many rounds as a chain of sources is long at most.
    for last in (False, False, False, True):
        left = []
        for entry in waiting:
            call = entry.tag("callId") or _inferred_call(entry, known)
            if not call and not last:
                left.append(entry)
                continue
            call = call or next(iter(groups), "")
            groups.setdefault(call, []).append(entry)
            known.setdefault(("id", entry.id), call)
            for key in ("bucketId", "transactionId"):
                known.setdefault((key, entry.bucket_id if key == "bucketId" else entry.tag(key)), call)
        waiting = left
    return groups


def _inferred_call(entry: StoredObject, known: dict[tuple[str, str], str]) -> str:
    pairs = [("id", entry.tag(key)) for key in SOURCES]
    pairs += [("bucketId", entry.bucket_id), ("transactionId", entry.tag("transactionId"))]
    return next((known[pair] for pair in pairs if pair[1] and pair in known), "")


def _first(groups: dict[str, list[StoredObject]], asked: StoredObject | None) -> str:
    wanted = identity(asked) if asked is not None else ""
    for call, entries in groups.items():
        if any(identity(entry) == wanted for entry in entries):
            return call
    return next(iter(groups))


def _tie(first: Sequence[StoredObject], other: Sequence[StoredObject]) -> Tie:
    def values(entries: Sequence[StoredObject], key: str) -> set[str]:
        return {entry.tag(key) for entry in entries} - {""}

    if values(first, "originalCallId") & values(other, "callId"):
        return Tie.BEFORE
    if values(other, "originalCallId") & values(first, "callId"):
        return Tie.AFTER
    return Tie.TRANSFER if values(first, "transactionId") & values(other, "transactionId") else Tie.OTHER


def _leg(call: str, tie: Tie, entries: Sequence[StoredObject]) -> Leg:
    parents = {
        entry.id: entry for entry in entries if entry.id and part_of(entry) not in (*_HEADS, CallPart.TRANSCRIPT)
    }
    below: dict[str, list[StoredObject]] = {}
    top = []
    for entry in sorted(entries, key=_by_rank):
        source = next((entry.tag(key) for key in SOURCES if entry.tag(key) in parents), "")
        if part_of(entry) is CallPart.TRANSCRIPT and source:
            below.setdefault(source, []).append(entry)
        else:
            top.append(entry)
    return Leg(call, tie, tuple(_node(entry, below.get(entry.id, ())) for entry in top))


def _node(entry: StoredObject, below: Iterable[StoredObject]) -> CallNode:
    return CallNode(entry, part_of(entry), title_of(entry), tuple(_node(child, ()) for child in below))


def _by_rank(entry: StoredObject) -> tuple[object, ...]:
    part = part_of(entry)
    kind = entry.type if part is CallPart.OTHER else ""
    return (ORDER[part], kind, speaker_rank(entry), _by_time(entry))


_HERE, _LAST = "├─ ", "└─ "
_ON, _END = "│  ", "   "


class Branch(msgspec.Struct, frozen=True):
    """One line of the drawn tree: a leg, or an object of it."""

    strokes: str
    title: str
    """May hold remote text."""
    node: CallNode | None = None
    """`None` for the line of a leg."""


def branches(tree: CallTree) -> Iterator[Branch]:
    """The lines of the tree, from top to bottom: the call itself, its objects, then its other legs."""
    for number, leg in enumerate(tree.legs):
        if number == 0:
            yield Branch("", _title(leg))
            yield from _branches(leg.nodes, "", more=len(tree.legs) > 1)
            continue
        is_last = number == len(tree.legs) - 1
        yield Branch(_LAST if is_last else _HERE, _title(leg))
        yield from _branches(leg.nodes, _END if is_last else _ON)


def _branches(nodes: Sequence[CallNode], before: str, *, more: bool = False) -> Iterator[Branch]:
    for number, node in enumerate(nodes):
        is_last = number == len(nodes) - 1 and not more
        yield Branch(before + (_LAST if is_last else _HERE), node.title, node)
        yield from _branches(node.children, before + (_END if is_last else _ON))


def _title(leg: Leg) -> str:
    what = "Call" if leg.tie is Tie.SELF else leg.tie.value.capitalize()
    return f"{what} {leg.call_id}".rstrip()


def file_names(tree: CallTree) -> dict[str, str]:
    """A short file name for each object by its identity: its title, numbered where there are several.

    The call itself is not part of the name, as the folder is named after it. Names may still hold remote text.
    """
    names: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for number, leg in enumerate(tree.legs, 1):
        for node, stem in _stems(leg.nodes, f"leg {number} " if number > 1 else ""):
            # The service's own extension for notes, which no program knows.
            own = "" if node.part is CallPart.NOTES else node.entry.name
            extension = fitting_extension(own, node.entry.mime) or (".txt" if node.part is CallPart.NOTES else "")
            taken[folded(stem + extension)] += 1
            again = taken[folded(stem + extension)]
            names[identity(node.entry)] = f"{stem} {again}{extension}" if again > 1 else stem + extension
    return names


def _stems(nodes: Iterable[CallNode], before: str) -> Iterator[tuple[CallNode, str]]:
    for node in nodes:
        what = "screen" if node.part is CallPart.SCREEN else node.title.replace(",", "")
        stem = before + (what[:1].lower() + what[1:] if node.part is not CallPart.OTHER else what.lower())
        yield node, stem
        yield from _stems(node.children, f"{stem} ")
