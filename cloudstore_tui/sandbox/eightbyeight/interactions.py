"""Contact Center interactions: the recording of a call, and everything that belongs to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b

from cloudstore_tui.sandbox.eightbyeight import documents
from cloudstore_tui.sandbox.eightbyeight.body import Body
from cloudstore_tui.sandbox.eightbyeight.calls import Call, call_id, record_of
from cloudstore_tui.sandbox.eightbyeight.film import BYTES_PER_SECOND, film
from cloudstore_tui.sandbox.eightbyeight.people import AGENTS, customer
from cloudstore_tui.sandbox.eightbyeight.record import Record

PART = 5 * 2**20
"""Part size of uploads in parts."""


def uuid(*names: object) -> str:
    """A UUID that is always the same for the same names."""
    digits = blake2b(":".join(map(str, names)).encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def seal(record: Record) -> Record:
    """The record with the size and checksum that its bytes have."""
    return replace(record, size=record.body.size, checksum=record.body.checksum)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One call and what can be made of it."""

    call: Call
    region: str

    @property
    def recording(self) -> Record:
        """The recording itself."""
        return record_of(self.call, self.region)

    def about(self, kind: str, name: str, mime: str, body: Body, tags: Mapping[str, str]) -> Record:
        """Another object of the same call."""
        call, recording = self.call, self.recording
        return seal(
            replace(
                recording,
                id=uuid(recording.id, kind, name, *tags.values()),
                type=kind,
                mime=mime,
                name=name,
                created=call.created + 60_000,
                updated=call.created + 61_000,
                body=body,
                tags=tuple(tags.items()),
            )
        )

    def transcript(self, part: int = 0) -> Record:
        """A transcript; a call can have several, all of one name."""
        call, recording = self.call, self.recording
        seconds = call.duration // 1000
        caller = customer(call.customer).name
        text = documents.transcript(call_id(call), AGENTS[call.agent].name, caller, seconds, call.created + part)
        tags = {
            **dict(recording.tags),
            "result": "success",
            "duration": str(seconds),
            "language": "en-US",
            "provider": "voci",
            "sourceId": recording.id,
            "sourceObjectType": "callcenterrecordingchannel" if part else "callcenterrecording",
        }
        return self.about("transcription", f"{call_id(call)}.json", "application/json", Body(data=text), tags)

    def sentiment(self) -> Record:
        """How it sounded."""
        tags = {
            **self._common("callId", "ipbxid", "tenantId"),
            "sourceObjectType": "callcenterrecording",
            "contentObjectType": "transcription",
            "sentimentProcessed": "true",
        }
        text = documents.sentiment(call_id(self.call), self.call.created)
        return self.about("sentimentScore", f"{call_id(self.call)}.json", "application/json", Body(data=text), tags)

    def summary(self) -> Record:
        """What it was about; the tag `sourceObjectId` names the transcript."""
        tags = {
            **self._common("callId", "tenantId"),
            "result": "success",
            "sourceObjectId": self.transcript().id,
            "sourceObjectType": "transcription",
            "contentObjectType": "callcenterrecording",
        }
        text = documents.summary(call_id(self.call), AGENTS[self.call.agent].name, self.call.created)
        return self.about("summary", f"{call_id(self.call)}.json", "application/json", Body(data=text), tags)

    def survey(self) -> Record:
        """What the customer thought; the name has no extension."""
        text = documents.survey(call_id(self.call), self.call.created)
        return self.about("postcallsurvey", call_id(self.call), "application/json", Body(data=text), self._survey())

    def comment(self, sound: bytes) -> Iterator[Record]:
        """What the customer said after the call, and its transcript."""
        stem = f"{call_id(self.call)}-q1"
        spoken = {**self._survey(), "pcsQuestionNumber": "1", "transcription-processed": "true"}
        comment = self.about("voicecommentrecording", f"{stem}.wav", "audio/wav", Body(data=sound), spoken)
        yield comment
        tags = {
            **self._survey(),
            "result": "success",
            "duration": "4",
            "language": "en-US",
            "provider": "voci",
            "sourceId": comment.id,
            "sourceObjectType": "voicecommentrecording",
        }
        text = documents.transcript(call_id(self.call), "", customer(self.call.customer).name, 4, self.call.created)
        yield self.about("transcription", f"{stem}.json", "application/json", Body(data=text), tags)

    def notes(self) -> Record:
        """What the agent typed."""
        text = documents.notes(AGENTS[self.call.agent].name, self.call.created)
        tags = self._common("callId", "ipbxid", "tenantId")
        return self.about("agentnotes", f"{call_id(self.call)}.agentnotes", "text/plain", Body(data=text), tags)

    def screen(self, part: int = 0) -> Record:
        """What the agent's screen showed; uploaded in parts of `part` bytes."""
        call = self.call
        body = film(call.duration // 1000, call.duration // 1000 * BYTES_PER_SECOND, part)
        tags = {
            **self._common("callId"),
            "agentId": AGENTS[call.agent].id.removeprefix("ag"),
            **self._common("duration", "tenantId", "startTime"),
            "startedBy": "policy",
            "identifier": uuid(call.created, "screen")[:13],
            **self._common("transactionId"),
            "recording_start_time": self.recording_start,
        }
        return self.about("screenrecording", f"{call_id(call)}.mp4", "video/mp4", body, tags)

    @property
    def recording_start(self) -> str:
        """As the tag `recording_start_time` writes it: UTC."""
        return datetime.fromtimestamp(self.call.start // 1000, UTC).strftime("%Y%m%dT%H%M%S")

    def _common(self, *keys: str) -> dict[str, str]:
        return {key: self.recording.tag(key) or "" for key in keys}

    def _survey(self) -> dict[str, str]:
        return {"pcsId": uuid(self.call.created, "pcs")[:8], **self._common("callId", "agentId", "tenantId")}
