"""What the 8x8 service is known to hold: content fields, object types with their tags, and units.

Knowledge for hints, columns and completion only: the service decides, and knows more types and tags than these.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


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
"""Names in the vendor's examples, and the fields they mean."""

STATES = ("AVAILABLE", "PENDING", "ARCHIVED", "REVOKED", "DELETED", "FAILED")
"""Values of `objectState`; without it in a filter only AVAILABLE objects are found."""

TAG_UNITS: Mapping[str, Unit] = {
    "startTime": Unit.EPOCH_MS,
    "endTime": Unit.EPOCH_MS,
    "holdDuration": Unit.MILLISECONDS,
    "pcsQuestionNumber": Unit.NUMBER,
}
"""Units of tags that mean the same on every type; all others are text."""


class ObjectType(msgspec.Struct, frozen=True):
    """One value of the field `type`."""

    name: str
    title: str
    """For people, apart from all other types."""
    tags: tuple[str, ...] = ()
    duration: Unit = Unit.MILLISECONDS
    """Unit of the tag `duration`: the services' pages say seconds throughout, the recordings themselves do not."""
    several: str = ""
    """The title for more than one, where an `s` does not do."""
    short: str = ""
    """What one of them is called in a list, where that is shorter than the title."""

    @property
    def plural(self) -> str:
        """For people, of more than one."""
        return self.several or f"{self.title}s"

    @property
    def label(self) -> str:
        """For people, in a list."""
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
        "voicecommentrecording",
        "Voice comment",
        (*_SURVEY_TAGS, "pcsQuestionNumber", "transcription-processed"),
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
"""Known types, what people mostly look for first; the service has others."""

TYPE_NAMES = tuple(known.name for known in TYPES)
_BY_NAME = {known.name: known for known in TYPES}


def type_label(name: str) -> str:
    """What people call an object of a type, in a list: `Recording`; a type that nobody has heard of as it is."""
    return _BY_NAME[name].label if name in _BY_NAME else name


def type_plural(name: str) -> str:
    """What people call all objects of a type: `Call recordings`; a type that nobody has heard of as it is."""
    return _BY_NAME[name].plural if name in _BY_NAME else name


def type_rank(name: str) -> tuple[int, str]:
    """What to sort types by: those that people mostly look for first, unknown ones last."""
    return (TYPE_NAMES.index(name) if name in _BY_NAME else len(TYPE_NAMES), name.lower())


KNOWN_FIELDS = frozenset({*CONTENT_FIELDS, *ALIASES, *(tag for known in TYPES for tag in known.tags)})
"""Every field, alias and tag of this file."""


def unit_of(name: str, object_type: str = "") -> Unit:
    """The unit of a field or tag; `duration` depends on the type of the object."""
    if name == "duration":
        return next((known.duration for known in TYPES if known.name == object_type), Unit.MILLISECONDS)
    return CONTENT_FIELDS.get(ALIASES.get(name, name)) or TAG_UNITS.get(name, Unit.TEXT)


_TAGS = {known.name: frozenset(known.tags) for known in TYPES}


def has_tag(object_type: str, tag: str) -> bool:
    """Whether objects of a type can have a field or tag; of a type without known tags everything is believed."""
    known = _TAGS.get(object_type)
    return tag in CONTENT_FIELDS or not known or tag in known


def units_of(name: str, types: tuple[str, ...]) -> frozenset[Unit]:
    """The units that a field or tag has on these types; on any type if there are none."""
    asked = types or TYPE_NAMES
    return frozenset(unit_of(name, kind) for kind in asked if has_tag(kind, name)) or frozenset({unit_of(name)})
