"""The known fields, object types, tags and units of the 8x8 service, and the words that people use for them.

Used only for hints, columns and completion: the service decides, and has more types and tags than these.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum

from msgspec import Struct


class Unit(StrEnum):
    """What the value of a field or tag is."""

    TEXT = "text"
    NUMBER = "number"
    BYTES = "bytes"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    EPOCH_MS = "epoch milliseconds"


CONTENT_FIELDS: Mapping[str, Unit] = {
    "id": Unit.TEXT,
    "bucketId": Unit.TEXT,
    "customerId": Unit.TEXT,
    "userId": Unit.TEXT,
    "type": Unit.TEXT,
    "mimeType": Unit.TEXT,
    "objectName": Unit.TEXT,
    "objectState": Unit.TEXT,
    "createdTime": Unit.EPOCH_MS,
    "updatedTime": Unit.EPOCH_MS,
    "storedBytes": Unit.BYTES,
    "checksum": Unit.TEXT,
    "checksumType": Unit.TEXT,
}
"""Fields of every object. Replies print the times as ISO, filters take epoch milliseconds."""

ALIASES: Mapping[str, str] = {"name": "objectName", "size": "storedBytes", "objectId": "id"}
"""Names in the vendor's examples, and the fields that they stand for."""

STATES = ("AVAILABLE", "PENDING", "ARCHIVED", "REVOKED", "DELETED", "FAILED")
"""Values of `objectState`; without it in a filter only AVAILABLE objects are found."""

TAG_UNITS: Mapping[str, Unit] = {
    "startTime": Unit.EPOCH_MS,
    "endTime": Unit.EPOCH_MS,
    "holdDuration": Unit.MILLISECONDS,
    "pcsQuestionNumber": Unit.NUMBER,
}
"""Units of tags that are the same on every type; all others are text."""


class ObjectType(Struct, frozen=True):
    """One value of the field `type`."""

    name: str
    title: str
    """What people call it; distinct from all other types."""
    tags: tuple[str, ...] = ()
    duration: Unit = Unit.MILLISECONDS
    """Unit of the tag `duration`: the vendor's pages say seconds for all types, the recordings have milliseconds."""
    several: str = ""
    """The plural of the title, if it does not just end in `s`."""
    short: str = ""
    """What it is called in a list, if that is shorter than the title."""

    @property
    def plural(self) -> str:
        """The plural of the title."""
        return self.several or f"{self.title}s"

    @property
    def label(self) -> str:
        """What it is called in a list."""
        return self.short or self.title


_CC_TAGS = (
    *("callId", "ipbxid", "address", "agentId", "branchId", "calleeId", "callerId", "duration", "mediaUrl", "tenantId"),
    *("agentName", "direction", "queueName", "startTime", "calleeName", "callerName", "channelName", "queueNumber"),
    *("holdDuration", "callSnippetId", "transactionId", "extensionNumber", "billingTelephoneNumber"),
)
_WORK_TAGS = (
    *("guid", "pbxId", "callId", "ipbxid", "address", "endTime", "branchId", "duration", "userName", "callLogId"),
    *("direction", "startTime", "userEmail", "extensionId", "extensionNumber", "media-processed", "pbxname"),
    *("relativePath", "callerId"),
)
_SURVEY_TAGS = ("pcsId", "callId", "agentId", "tenantId")
_TRANSCRIPT_TAGS = ("result", "duration", "language", "provider", "sourceId", "sourceObjectType", "speaker")

TYPES = (
    ObjectType("callcenterrecording", "Call recording", _CC_TAGS, short="Recording"),
    ObjectType("callrecording", "Work recording", _WORK_TAGS, short="Recording"),
    ObjectType("transcription", "Transcript", (*_TRANSCRIPT_TAGS, *_CC_TAGS, "pcsId", "userName"), Unit.SECONDS),
    ObjectType(
        "voicemail",
        "Work voicemail",
        ("callId", "duration", "userName", "extensionNumber", "callerId"),
        short="Voicemail",
    ),
    ObjectType("callcentervoicemail", "Voicemail", (*_CC_TAGS, "agentEmail", "originalCallId")),
    ObjectType("postcallsurvey", "Survey", _SURVEY_TAGS),
    ObjectType(
        "voicecommentrecording", "Voice comment", (*_SURVEY_TAGS, "pcsQuestionNumber", "transcription-processed")
    ),
    ObjectType(
        "screenrecording",
        "Screen recording",
        (
            *("callId", "agentId", "duration", "tenantId", "startTime", "startedBy", "identifier", "transactionId"),
            "recording_start_time",
        ),
    ),
    ObjectType("agentnotes", "Agent notes", ("callId", "ipbxid", "tenantId"), several="Agent notes", short="Notes"),
    ObjectType(
        "sentimentScore",
        "Sentiment score",
        ("callId", "ipbxid", "tenantId", "sourceObjectType", "contentObjectType", "sentimentProcessed"),
        short="Sentiment",
    ),
    ObjectType(
        "summary",
        "Summary",
        ("callId", "result", "tenantId", "sourceObjectId", "sourceObjectType", "contentObjectType"),
        several="Summaries",
    ),
    ObjectType("meeting", "Meeting", ("duration", "meetingUrl", "sessionId")),
    ObjectType("calladditionalfields", "Additional call fields", several="Additional call fields", short="Call fields"),
    ObjectType("chattranscription", "Chat transcript"),
    ObjectType("cm-report", "Report"),
    ObjectType("meetings_transcriptions", "Meeting transcript"),
    ObjectType("statehistory", "State history", several="State histories"),
    ObjectType("tcltransactions", "Transactions", several="Transactions"),
    ObjectType("waveform", "Waveform"),
)
"""Known types, the most wanted first; the service has others."""

TYPE_NAMES = tuple(known.name for known in TYPES)
_BY_NAME = {known.name: known for known in TYPES}


def type_label(name: str) -> str:
    """The label of a type in a list, such as `Recording`; an unknown type as it is."""
    return _BY_NAME[name].label if name in _BY_NAME else name


def type_plural(name: str) -> str:
    """The plural of a type, such as `Call recordings`; an unknown type as it is."""
    return _BY_NAME[name].plural if name in _BY_NAME else name


def type_rank(name: str) -> tuple[int, str]:
    """A key that sorts types: the most wanted first, unknown ones last."""
    return (TYPE_NAMES.index(name) if name in _BY_NAME else len(TYPE_NAMES), name.lower())


KNOWN_FIELDS = frozenset({*CONTENT_FIELDS, *ALIASES, *(tag for known in TYPES for tag in known.tags)})
"""All known fields, aliases and tags."""


def unit_of(name: str, object_type: str = "") -> Unit:
    """The unit of a field or tag; `duration` depends on the type of the object."""
    if name == "duration":
        return next((known.duration for known in TYPES if known.name == object_type), Unit.MILLISECONDS)
    return CONTENT_FIELDS.get(ALIASES.get(name, name)) or TAG_UNITS.get(name, Unit.TEXT)


_TAGS = {known.name: frozenset(known.tags) for known in TYPES}


def has_tag(object_type: str, tag: str) -> bool:
    """Whether objects of a type can have a field or tag; always true for types without known tags."""
    known = _TAGS.get(object_type)
    return tag in CONTENT_FIELDS or not known or tag in known


def units_of(name: str, types: tuple[str, ...]) -> frozenset[Unit]:
    """The units that a field or tag has on these types, or on any type if none are given."""
    asked = types or TYPE_NAMES
    return frozenset(unit_of(name, kind) for kind in asked if has_tag(kind, name)) or frozenset({unit_of(name)})


_CALLS = ("callcenterrecording", "callrecording")

TYPE_WORDS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("call", "calls", "recording", "recordings"), _CALLS),
    **dict.fromkeys(("cc", "contactcenter", "contactcentre"), ("callcenterrecording",)),
    "work": ("callrecording",),
    "voicemails": ("callcentervoicemail", "voicemail"),
    **dict.fromkeys(("transcript", "transcripts", "transcriptions"), ("transcription",)),
    **dict.fromkeys(("survey", "surveys"), ("postcallsurvey",)),
    **dict.fromkeys(("comment", "comments"), ("voicecommentrecording",)),
    **dict.fromkeys(("screen", "screens"), ("screenrecording",)),
    **dict.fromkeys(("note", "notes"), ("agentnotes",)),
    **dict.fromkeys(("sentiment", "sentiments"), ("sentimentScore",)),
    "summaries": ("summary",),
    "meetings": ("meeting",),
    **dict.fromkeys(("chat", "chats"), ("chattranscription",)),
    **dict.fromkeys(("report", "reports"), ("cm-report",)),
    **{name.lower(): (name,) for name in TYPE_NAMES},
}
"""Words for types, and the service's names of them."""

STATE_WORDS: Mapping[str, tuple[str, ...]] = {
    "restoring": ("PENDING", "ARCHIVED"),
    "purged": ("DELETED",),
    "any": STATES,
    **{name.lower(): (name,) for name in STATES},
    # The service says REVOKED for deleted and DELETED for purged; "deleted" may mean either.
    "deleted": ("REVOKED", "DELETED"),
}
"""Words for states, and the service's names of them."""

DIRECTIONS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("in", "inbound", "incoming"), ("INBOUND", "Inbound")),
    **dict.fromkeys(("out", "outbound", "outgoing"), ("OUTBOUND", "Outbound")),
    "internal": ("INTERNAL", "Internal"),
}
"""Words for the direction of a call, and how Contact Center and Work write it."""

SOURCES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("call", "calls", "recording", "recordings"), (*_CALLS, *(f"{name}channel" for name in _CALLS))),
    **dict.fromkeys(("cc", "callcenterrecording"), ("callcenterrecording", "callcenterrecordingchannel")),
    **dict.fromkeys(("work", "callrecording"), ("callrecording", "callrecordingchannel")),
}
"""Words for what a derived object was made from; the service spells each in two ways."""


class Name(Struct, frozen=True):
    """A word for one or more fields or tags."""

    word: str
    fields: tuple[str, ...]
    """In order of preference: for each object type the first one that it has."""
    phone_fields: tuple[str, ...] = ()
    """The fields if the value is a telephone number."""
    values: Mapping[str, tuple[str, ...]] | None = None
    """Words for the values, in lower case."""
    bound: str = ""
    """The operator that the word implies, such as `since`; it takes no other."""
    is_tag: bool = False
    """Whether it names a tag literally."""


_NAMES = (
    Name("type", ("type",), values=TYPE_WORDS),
    Name("state", ("objectState",), values=STATE_WORDS),
    Name("since", ("createdTime",), bound=">="),
    Name("until", ("createdTime",), bound="<"),
    *(Name(word, ("createdTime",)) for word in ("created", "on", "date", "day")),
    Name("expires", ("createdTime",)),
    Name("updated", ("updatedTime",)),
    Name("started", ("startTime",)),
    Name("ended", ("endTime",)),
    *(Name(word, ("duration",)) for word in ("duration", "dur", "length")),
    Name("hold", ("holdDuration",)),
    Name("size", ("storedBytes",)),
    *(Name(word, ("objectName",)) for word in ("name", "file")),
    Name("id", ("id",)),
    Name("call", ("callId",)),
    Name("bucket", ("bucketId",)),
    Name("agent", ("agentName", "userName")),
    Name("user", ("userName", "agentName")),
    Name("email", ("agentEmail", "userEmail")),
    Name("queue", ("queueName",)),
    Name("channel", ("channelName",)),
    Name("caller", ("callerName", "callerId"), ("callerId",)),
    *(Name(word, ("calleeName", "calleeId"), ("calleeId",)) for word in ("called", "callee")),
    *(Name(word, ("address",), ("address",)) for word in ("phone", "number")),
    Name("direction", ("direction",), values=DIRECTIONS),
    *(Name(word, ("extensionNumber",)) for word in ("extension", "ext")),
    Name("tenant", ("tenantId",)),
    Name("transaction", ("transactionId",)),
    Name("source", ("sourceObjectType",), values=SOURCES),
    Name("question", ("pcsQuestionNumber",)),
    Name("mime", ("mimeType",)),
)

NAMES: Mapping[str, Name] = {name.word: name for name in _NAMES}
"""The words of phrases, besides the names of fields and tags themselves."""

_TAG = "tag."
_FOLDED = {field.lower(): field for field in sorted(KNOWN_FIELDS)}


def name_of(word: str) -> Name | None:
    """What the word before a colon means: a word of phrases, a field or tag of the service, or `tag.` and any tag."""
    if word.startswith(_TAG) and len(word) > len(_TAG):
        return Name(word, (word.removeprefix(_TAG),), is_tag=True)
    folded = word.lower()
    if folded in NAMES:
        return NAMES[folded]
    return Name(word, (_FOLDED[folded],)) if folded in _FOLDED else None


def key_of(field: str) -> str:
    """The word of phrases that stands for exactly this field or tag."""
    known = next((name.word for name in NAMES.values() if name.fields[0] == field and not name.bound), "")
    return known or (field if field in KNOWN_FIELDS else f"{_TAG}{field}" if field else "")


def nearest(word: str, known: Iterable[str], cutoff: float = 0.75) -> str:
    """The known word most similar to this one, ignoring case; empty if none is similar enough."""
    folded = {candidate.lower(): candidate for candidate in sorted(known, reverse=True)}
    near = get_close_matches(word.lower(), list(folded), 1, cutoff)
    return folded[near[0]] if near else ""
