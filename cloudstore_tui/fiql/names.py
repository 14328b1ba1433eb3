"""What people call the types, states, fields and tags of the service."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import msgspec

from cloudstore_tui.fiql.fields import KNOWN_FIELDS, STATES, TYPE_NAMES

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
    # The service says REVOKED for deleted and DELETED for purged; whoever writes "deleted" may mean either.
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
"""Words for what a derived object was made from; two spellings of each are in use."""


class Name(msgspec.Struct, frozen=True):
    """A word for one or more fields or tags."""

    word: str
    fields: tuple[str, ...]
    """In order of preference; an object type has the first of its own tags."""
    phone_fields: tuple[str, ...] = ()
    """The same where the value is a telephone number."""
    values: Mapping[str, tuple[str, ...]] | None = None
    """Words for the values, in small letters."""
    bound: str = ""
    """The only operator that it can have, for words that are one."""
    is_tag: bool = False
    """Whether it is any tag, taken at its word."""


_NAMES = (
    Name("type", ("type",), values=TYPE_WORDS),
    Name("state", ("objectState",), values=STATE_WORDS),
    Name("since", ("createdTime",), bound=">="),
    Name("until", ("createdTime",), bound="<"),
    *(Name(word, ("createdTime",)) for word in ("created", "on", "date", "day")),
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
    *(Name(word, ("address",)) for word in ("phone", "number")),
    Name("direction", ("direction",), values=DIRECTIONS),
    *(Name(word, ("extensionNumber",)) for word in ("extension", "ext")),
    Name("tenant", ("tenantId",)),
    Name("transaction", ("transactionId",)),
    Name("source", ("sourceObjectType",), values=SOURCES),
    Name("question", ("pcsQuestionNumber",)),
    Name("mime", ("mimeType",)),
)

NAMES: Mapping[str, Name] = {name.word: name for name in _NAMES}
"""The words of phrases, beside the names of fields and tags themselves."""

_TAG = "tag."
_FOLDED = {field.lower(): field for field in sorted(KNOWN_FIELDS)}


def name_of(word: str) -> Name | None:
    """What a word before a colon means: a word of phrases, a field or tag of the service, or `tag.` and any tag."""
    if word.startswith(_TAG) and len(word) > len(_TAG):
        return Name(word, (word.removeprefix(_TAG),), is_tag=True)
    folded = word.lower()
    if folded in NAMES:
        return NAMES[folded]
    return Name(word, (_FOLDED[folded],)) if folded in _FOLDED else None


def key_of(field: str) -> str:
    """The word of phrases that asks for a field or tag and no other."""
    known = next((name.word for name in NAMES.values() if name.fields[0] == field and not name.bound), "")
    return known or (field if field in KNOWN_FIELDS else f"{_TAG}{field}" if field else "")


def nearest(word: str, known: Iterable[str], alike: float = 0.75) -> str:
    """The known word that one is most like, empty if none is; capitals count for nothing."""
    folded = {candidate.lower(): candidate for candidate in sorted(known, reverse=True)}
    near = get_close_matches(word.lower(), list(folded), 1, alike)
    return folded[near[0]] if near else ""
