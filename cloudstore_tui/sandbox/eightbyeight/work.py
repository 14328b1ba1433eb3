"""Recordings, transcripts and voicemails of 8x8 Work: other names, other tags, other habits."""

from collections.abc import Iterator
from dataclasses import dataclass

from cloudstore_tui.sandbox.eightbyeight import documents
from cloudstore_tui.sandbox.eightbyeight.body import Body, call_body
from cloudstore_tui.sandbox.eightbyeight.interactions import seal, uuid
from cloudstore_tui.sandbox.eightbyeight.people import AGENTS, CUSTOMER_ID, PBX, customer
from cloudstore_tui.sandbox.eightbyeight.record import Record


@dataclass(frozen=True, slots=True)
class WorkCall:
    """One call of a Work user."""

    region: str
    start: int
    """Epoch milliseconds: the object is created when the call begins."""
    seconds: int
    agent: int
    customer: int

    def objects(self, *, transcribed: bool, parts: bool) -> Iterator[Record]:
        """The recording, and the transcripts of both sides, which share a name."""
        yield self._record("callrecording", f"{self._stem}_0.mp3", "audio/mpeg", self._sound(parts), self._tags())
        for side, speaker in enumerate(("owner", "external") if transcribed else ()):
            text = documents.transcript(
                self.call_id, AGENTS[self.agent].name, customer(self.customer).name, self.seconds, self.start + side
            )
            tags = {**self._tags(), "speaker": speaker, "duration": str(self.seconds)}
            tags["sourceObjectType"] = "callrecordingchannel"
            yield self._record("transcription", f"{self._stem}_0.json", "application/json", Body(data=text), tags)

    def voicemail(self, sound: bytes) -> Record:
        """A message left instead of a call."""
        tags = {key: value for key, value in self._tags().items() if key not in ("callLogId", "endTime")}
        name = f"vm-{self.start}-{customer(self.customer).phone}.wav"
        return self._record("voicemail", name, "audio/wav", Body(data=sound), tags)

    @property
    def call_id(self) -> str:
        """Looks like a time, and is one, but not that of the call."""
        return str(self.start - 7 * 86_400_000 + 4711)

    @property
    def _stem(self) -> str:
        agent, phone = AGENTS[self.agent], customer(self.customer).phone
        call = f"{self.start}-{self.call_id}-{agent.extension}-{phone}"
        return f"ipbx:{PBX}:callrecording:users:{agent.extension}:{call}"

    @property
    def _bucket(self) -> str:
        return uuid("work", self.region, self.start)

    def _sound(self, parts: bool) -> Body:
        return call_body(self.seconds, f"work {self.start} {self.region}", parts=parts)

    def _tags(self) -> dict[str, str]:
        agent, person = AGENTS[self.agent], customer(self.customer)
        return {
            "guid": self._bucket,
            "pbxId": "3187",
            "callId": self.call_id,
            "ipbxid": PBX,
            "address": person.phone,
            "endTime": str(self.start + self.seconds * 1000 + 3489),
            "branchId": "hq",
            "duration": str(self.seconds * 1000),
            "userName": agent.name,
            "callLogId": str(self.start // 7),
            "direction": "Inbound" if self.customer % 2 else "Outbound",
            "startTime": str(self.start),
            "userEmail": agent.email,
            "extensionId": str(agent.extension * 3),
            "extensionNumber": str(agent.extension),
            "media-processed": "true",
        }

    def _record(self, kind: str, name: str, mime: str, body: Body, tags: dict[str, str]) -> Record:
        record = Record(
            id=uuid(kind, name, tags.get("speaker", ""), self.region),
            region=self.region,
            type=kind,
            mime=mime,
            name=name,
            customer_id=CUSTOMER_ID,
            user_id=AGENTS[self.agent].user_id,
            bucket_id=self._bucket,
            created=self.start // 1000 * 1000,
            updated=self.start // 1000 * 1000 + 5000,
            body=body,
            tags=tuple(tags.items()),
        )
        return seal(record)
