"""Which columns are shown for which types of objects: a new column, or a new type, is a line here."""

from collections.abc import Set

from cloudstore_tui.core.models import Column, ColumnKind

_TIME = Column("created", "Time", ColumnKind.TIME, 16, "createdTime")
_WHAT = Column("type", "What", width=12, sort_field="type", min_width=10)
_AGENT = Column(
    "agentName", "Agent", width=16, sort_field="agentName", min_width=16, fallback_tags=("userName", "agentId")
)
_CALLER = Column("address", "Caller", width=12, sort_field="address", min_width=12, rank=5, fallback_tags=("callerId",))
_QUEUE = Column("queueName", "Queue", width=12, sort_field="queueName", min_width=8, rank=4)
_DIRECTION = Column("direction", "Direction", width=9, sort_field="direction", rank=7)
_LENGTH = Column("duration", "Len", ColumnKind.DURATION, 7, "duration", min_width=5, rank=1)
_SIZE = Column("size", "Size", ColumnKind.SIZE, 7, "storedBytes", min_width=5, rank=2)
_NAME = Column("name", "Name", width=30, sort_field="objectName")

REGION = Column("region", "Region", width=8, rank=3)
"""For results of several regions; not sortable, since the service sorts each region separately."""

REGIONS = (Column("name", "Name", width=40),)
"""For regions, which have only a name."""

FOLDERS = (*REGIONS, Column("modified", "Modified", ColumnKind.TIME, 16))
"""For buckets."""

NAMED = (_TIME, _WHAT, _NAME, _LENGTH, _SIZE)
"""For types of which nothing but the name is known."""

MIXED = (_TIME, _WHAT, _AGENT, _CALLER, _QUEUE, _LENGTH, _SIZE)
"""For results with several types."""

_ALIKE = (_TIME, _AGENT, _CALLER, _QUEUE, _LENGTH, _SIZE, _DIRECTION)

BY_TYPE: dict[str, tuple[Column, ...]] = {
    **dict.fromkeys(("callcenterrecording", "callrecording", "callcentervoicemail", "voicemail"), _ALIKE),
    "transcription": (*MIXED, Column("language", "Language", width=8, sort_field="language", rank=7)),
    **dict.fromkeys(("voicecommentrecording", "screenrecording", "postcallsurvey"), MIXED),
    **dict.fromkeys(("agentnotes", "sentimentScore", "summary"), MIXED),
    "meeting": (_TIME, _NAME, _LENGTH, _SIZE),
}


def columns_for(types: Set[str]) -> tuple[Column, ...]:
    """The columns for objects of one type, or for a mixture."""
    if len(types) == 1:
        return BY_TYPE.get(next(iter(types)), NAMED)
    return MIXED if not types or types & BY_TYPE.keys() else NAMED
