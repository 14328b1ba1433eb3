"""What an object is to its call."""

from enum import StrEnum

from cloudstore_tui.core.models import StoredObject
from cloudstore_tui.fiql.fields import TYPES


class Part(StrEnum):
    """In the order in which they are shown."""

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


ORDER = {part: number for number, part in enumerate(Part)}

_BY_TYPE = {
    "callrecording": Part.RECORDING,
    "callcenterrecording": Part.RECORDING,
    "voicemail": Part.VOICEMAIL,
    "callcentervoicemail": Part.VOICEMAIL,
    "transcription": Part.TRANSCRIPT,
    "chattranscription": Part.TRANSCRIPT,
    "summary": Part.SUMMARY,
    "sentimentScore": Part.SENTIMENT,
    "postcallsurvey": Part.SURVEY,
    "voicecommentrecording": Part.COMMENT,
    "agentnotes": Part.NOTES,
    "screenrecording": Part.SCREEN,
}
_TITLES = {known.name: known.title for known in TYPES}
_SPEAKERS = {"owner": 1, "agent": 1, "external": 2, "customer": 2}
_MOST_SPEAKER = 24


def part_of(entry: StoredObject) -> Part:
    """What an object is; types that nobody has heard of are `OTHER`."""
    return _BY_TYPE.get(entry.type, Part.OTHER)


def title_of(entry: StoredObject) -> str:
    """What to call an object among the others of its call; may hold remote text."""
    part = part_of(entry)
    if part is Part.OTHER:
        return _TITLES.get(entry.type) or entry.type or "Unknown"
    title = part.value.capitalize()
    if part is Part.COMMENT and (question := entry.tag("pcsQuestionNumber")):
        return f"{title} {question[:_MOST_SPEAKER]}"
    if part is Part.TRANSCRIPT and (who := speaker_of(entry)):
        return f"{title}: {who}"
    return title


def speaker_of(entry: StoredObject) -> str:
    """Whose words a transcript holds; empty where it holds those of all."""
    if entry.tag("speaker"):
        return entry.tag("speaker")[:_MOST_SPEAKER]
    return "one channel" if entry.tag("sourceObjectType").endswith("channel") else ""


def speaker_rank(entry: StoredObject) -> tuple[int, str]:
    """The order of transcripts: the whole call, our side, the other side, anybody else."""
    who = speaker_of(entry)
    return (_SPEAKERS.get(who.lower(), 3) if who else 0, who)
