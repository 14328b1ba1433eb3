"""Which columns fit which types of objects: a new column, or a new type, is a line here."""

from cloudstore_tui.core.models import Column, ColumnKind

_WHEN = Column("created", "When", ColumnKind.TIME, 16, "createdTime")
_NAME = Column("name", "Name", width=30, sort_field="objectName")
_TYPE = Column("type", "Type", width=20, sort_field="type")
_SIZE = Column("size", "Size", ColumnKind.SIZE, 9, "storedBytes")
_STATE = Column("state", "State", ColumnKind.STATE, 10, "objectState")
_LENGTH = Column("duration", "Duration", ColumnKind.DURATION, 8, "duration")


def _tag(key: str, title: str, width: int) -> Column:
    return Column(key, title, width=width, sort_field=key)


_AGENT = _tag("agentName", "Agent", 16)
_AGENT_ID = _tag("agentId", "Agent", 22)
_USER = _tag("userName", "User", 16)
_QUEUE = _tag("queueName", "Queue", 12)
_CALLER = _tag("callerId", "Caller", 14)
_CALL = _tag("callId", "Call", 24)
_QUESTION = _tag("pcsQuestionNumber", "Question", 8)

REGION = Column("region", "Region", width=8)
"""For objects of all regions together; the service sorts each region by itself."""

FOLDERS = (Column("name", "Name", width=40), Column("modified", "When", ColumnKind.TIME, 16))
"""For regions and buckets."""

MIXED = (_WHEN, _TYPE, _NAME, _SIZE, _STATE)
"""For types that nothing is known of, and for several types together."""

BY_TYPE: dict[str, tuple[Column, ...]] = {
    "callcenterrecording": (_WHEN, _AGENT, _QUEUE, _LENGTH, _SIZE, _STATE),
    "callcentervoicemail": (_WHEN, _CALLER, _QUEUE, _LENGTH, _SIZE, _STATE),
    "callrecording": (
        *(_WHEN, _USER, _tag("address", "Address", 14), _tag("direction", "Direction", 9), _LENGTH, _SIZE),
        _STATE,
    ),
    "voicemail": (_WHEN, _USER, _tag("address", "Address", 14), _LENGTH, _SIZE, _STATE),
    "transcription": (
        *(_WHEN, _tag("sourceObjectType", "Of", 26), _tag("speaker", "Speaker", 9), _tag("language", "Language", 8)),
        *(_LENGTH, _SIZE, _STATE, _NAME),
    ),
    "screenrecording": (_WHEN, _AGENT_ID, _LENGTH, _SIZE, _STATE, _CALL),
    "voicecommentrecording": (_WHEN, _AGENT_ID, _QUESTION, _SIZE, _STATE, _CALL),
    "postcallsurvey": (_WHEN, _AGENT_ID, _SIZE, _STATE, _CALL),
    "meeting": (_WHEN, _NAME, _LENGTH, _SIZE, _STATE),
}


def columns_for(types: frozenset[str]) -> tuple[Column, ...]:
    """The columns for objects of one type, or for a mixture."""
    return BY_TYPE.get(next(iter(types)), MIXED) if len(types) == 1 else MIXED
