"""The data of a new sandbox, which depends on the seed only."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from random import Random
from typing import Any

import msgspec

from cloudstore_tui.sandbox.content import recording
from cloudstore_tui.sandbox.eightbyeight.model import (
    AGENTS,
    BYTES_PER_SECOND,
    CUSTOMER_ID,
    CUSTOMERS,
    PBX,
    QUEUES,
    TENANT,
    GeneratedCall,
    ObjectBody,
    Record,
    call_body,
    call_id,
    customer,
    film,
    record_of,
)

# Transcripts, summaries, notes and other texts


_OPENINGS = (
    "Thank you for calling, my name is {agent}. How can I help?",
    "Good morning, you are speaking with {agent}. What can I do for you?",
)
_WISHES = (
    ("my invoice of last month shows the setup fee twice", "duplicate setup fee", "billing"),
    ("the delivery that was promised for Tuesday has not come", "late delivery", "delivery"),
    ("I cannot log in since I changed my password", "login after password change", "access"),
    ("I would like to move to the larger plan from the first of the month", "upgrade of the plan", "sales"),
    ("my line has been cutting out every evening this week", "line drops in the evening", "technical"),
)
_ANSWERS = (
    "I see it here. I will put that right now.",
    "I am sorry about that. Let me look at your account.",
    "That is easily done; it takes one working day.",
)
_CLOSINGS = ("Thank you, that was quick.", "All right. Goodbye.", "Could you send me that by mail, please?")


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def transcript(call: str, agent: str, caller: str, seconds: int, seed: int) -> bytes:
    """The transcript of a call; another seed yields another transcript of the same call."""
    choice = Random(seed)
    wish, _subject, _topic = choice.choice(_WISHES)
    said = [
        ("agent", choice.choice(_OPENINGS).format(agent=agent)),
        ("customer", f"Hello, {wish}."),
        ("agent", choice.choice(_ANSWERS)),
        ("customer", choice.choice(_CLOSINGS)),
    ]
    step = seconds / len(said)
    phrases = [
        {"speaker": who, "start": round(place * step, 2), "end": round((place + 0.9) * step, 2), "text": text}
        for place, (who, text) in enumerate(said)
    ]
    return _dump(
        {
            "callId": call,
            "agent": agent,
            "caller": caller,
            "language": "en-US",
            "duration": seconds,
            "confidence": round(choice.uniform(0.8, 0.99), 4),
            "phrases": phrases,
        }
    )


def summary(call: str, agent: str, seed: int) -> bytes:
    """The summary of a call, in three sentences."""
    choice = Random(seed)
    _wish, subject, topic = choice.choice(_WISHES)
    text = f"The customer called about: {subject}. {agent} promised an answer. No further action."
    return _dump({"callId": call, "topic": topic, "summary": text, "actionItems": [f"Follow up on {subject}"]})


def notes(agent: str, seed: int) -> bytes:
    """The notes that the agent typed during the call."""
    _wish, subject, _topic = Random(seed).choice(_WISHES)
    return f"{agent}: customer asks about {subject}.\nAccount is in order.\nWill call back on Friday.\n".encode()


# Contact Center interactions


PART = 5 * 2**20
"""Part size of uploads in parts."""


def uuid(*names: object) -> str:
    """A UUID that depends on the names only."""
    digits = blake2b(":".join(map(str, names)).encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def seal(record: Record) -> Record:
    """The record with the size and checksum of its bytes."""
    return msgspec.structs.replace(record, size=record.body.size, checksum=record.body.checksum)


_MIMES = {
    ".mp3": "audio/mpeg",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
    ".json": "application/json",
    ".txt": "text/plain",
    ".agentnotes": "text/plain",
}


def _mime(name: str) -> str:
    return next((mime for ending, mime in _MIMES.items() if name.endswith(ending)), "application/octet-stream")


class Interaction(msgspec.Struct, frozen=True):
    """One call, and the objects that can be made from it."""

    call: GeneratedCall
    region: str

    @property
    def recording(self) -> Record:
        return record_of(self.call, self.region)

    @property
    def stem(self) -> str:
        """What the names of its objects begin with."""
        return call_id(self.call)

    def about(self, kind: str, name: str, data: bytes | ObjectBody, tags: Mapping[str, str], mime: str = "") -> Record:
        """Another object of the same call; `mime` is needed where the name does not show it."""
        recording, created = self.recording, self.call.created
        return seal(
            msgspec.structs.replace(
                recording,
                id=uuid(recording.id, kind, name, *tags.values()),
                type=kind,
                mime=mime or _mime(name),
                name=name,
                created=created + 60_000,
                updated=created + 61_000,
                body=data if isinstance(data, ObjectBody) else ObjectBody(data=data),
                tags=tuple(tags.items()),
            )
        )

    def transcript(self, part: int = 0) -> Record:
        """A transcript; a call can have several, all of one name."""
        call, recording = self.call, self.recording
        seconds = call.duration // 1000
        caller = customer(call.customer).name
        text = transcript(self.stem, AGENTS[call.agent].name, caller, seconds, call.created + part)
        tags = {
            **dict(recording.tags),
            "result": "success",
            "duration": str(seconds),
            "language": "en-US",
            "provider": "voci",
            "sourceId": recording.id,
            "sourceObjectType": "callcenterrecordingchannel" if part else "callcenterrecording",
        }
        return self.about("transcription", f"{self.stem}.json", text, tags)

    def sentiment(self) -> Record:
        """The sentiment of both sides."""
        choice = Random(self.call.created)
        ours, theirs = round(choice.uniform(0.2, 0.9), 2), round(choice.uniform(-0.6, 0.8), 2)
        text = _dump({"callId": self.stem, "overall": round((ours + theirs) / 2, 2), "agent": ours, "customer": theirs})
        tags = {
            **self._common("callId", "ipbxid", "tenantId"),
            "sourceObjectType": "callcenterrecording",
            "contentObjectType": "transcription",
            "sentimentProcessed": "true",
        }
        return self.about("sentimentScore", f"{self.stem}.json", text, tags)

    def summary(self) -> Record:
        """The summary; its tag `sourceObjectId` is the id of the transcript."""
        tags = {
            **self._common("callId", "tenantId"),
            "result": "success",
            "sourceObjectId": self.transcript().id,
            "sourceObjectType": "transcription",
            "contentObjectType": "callcenterrecording",
        }
        text = summary(self.stem, AGENTS[self.call.agent].name, self.call.created)
        return self.about("summary", f"{self.stem}.json", text, tags)

    def survey(self) -> Record:
        """The survey that the customer answered after the call; its name has no extension."""
        choice = Random(self.call.created)
        questions = ("How satisfied are you?", "Was your question answered?", "Would you recommend us?")
        answers = [{"question": text, "score": choice.randint(1, 5)} for text in questions]
        text = _dump({"callId": self.stem, "survey": "After call", "answers": answers})
        return self.about("postcallsurvey", self.stem, text, self._survey(), "application/json")

    def comment(self, sound: bytes) -> Iterator[Record]:
        """The voice comment that the customer left after the call, and its transcript."""
        spoken = {**self._survey(), "pcsQuestionNumber": "1", "transcription-processed": "true"}
        comment = self.about("voicecommentrecording", f"{self.stem}-q1.wav", sound, spoken)
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
        text = transcript(self.stem, "", customer(self.call.customer).name, 4, self.call.created)
        yield self.about("transcription", f"{self.stem}-q1.json", text, tags)

    def notes(self) -> Record:
        """The notes of the agent."""
        text = notes(AGENTS[self.call.agent].name, self.call.created)
        return self.about("agentnotes", f"{self.stem}.agentnotes", text, self._common("callId", "ipbxid", "tenantId"))

    def screen(self, part: int = 0) -> Record:
        """The recording of the agent's screen, uploaded in parts of `part` bytes."""
        call = self.call
        tags = {
            **self._common("callId"),
            "agentId": AGENTS[call.agent].id.removeprefix("ag"),
            **self._common("duration", "tenantId", "startTime"),
            "startedBy": "policy",
            "identifier": uuid(call.created, "screen")[:13],
            **self._common("transactionId"),
            "recording_start_time": datetime.fromtimestamp(call.start // 1000, UTC).strftime("%Y%m%dT%H%M%S"),
        }
        body = film(call.duration // 1000, call.duration // 1000 * BYTES_PER_SECOND, part)
        return self.about("screenrecording", f"{self.stem}.mp4", body, tags)

    def _common(self, *keys: str) -> dict[str, str]:
        return {key: self.recording.tag(key) or "" for key in keys}

    def _survey(self) -> dict[str, str]:
        return {"pcsId": uuid(self.call.created, "pcs")[:8], **self._common("callId", "agentId", "tenantId")}


# 8x8 Work, with other names and tags


class WorkCall(msgspec.Struct, frozen=True):
    """One call of a Work user."""

    region: str
    start: int
    """Epoch milliseconds: the object is created when the call begins."""
    seconds: int
    agent: int
    customer: int

    def objects(self, *, transcribed: bool, parts: bool) -> Iterator[Record]:
        """The recording, and the transcripts of both sides, which share a name."""
        sound = call_body(self.seconds, f"work {self.start} {self.region}", parts=parts)
        yield self._record("callrecording", f"{self._stem}_0.mp3", sound, self._tags())
        for side, speaker in enumerate(("owner", "external") if transcribed else ()):
            text = transcript(
                self.call_id, AGENTS[self.agent].name, customer(self.customer).name, self.seconds, self.start + side
            )
            tags = {**self._tags(), "speaker": speaker, "duration": str(self.seconds)}
            tags["sourceObjectType"] = "callrecordingchannel"
            yield self._record("transcription", f"{self._stem}_0.json", ObjectBody(data=text), tags)

    def voicemail(self, sound: bytes) -> Record:
        """A message left instead of a call."""
        tags = {key: value for key, value in self._tags().items() if key not in ("callLogId", "endTime")}
        name = f"vm-{self.start}-{customer(self.customer).phone}.wav"
        return self._record("voicemail", name, ObjectBody(data=sound), tags)

    @property
    def call_id(self) -> str:
        """Looks like the time of the call, but is another time."""
        return str(self.start - 7 * 86_400_000 + 4711)

    @property
    def _stem(self) -> str:
        agent, phone = AGENTS[self.agent], customer(self.customer).phone
        call = f"{self.start}-{self.call_id}-{agent.extension}-{phone}"
        return f"ipbx:{PBX}:callrecording:users:{agent.extension}:{call}"

    @property
    def _bucket(self) -> str:
        return uuid("work", self.region, self.start)

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

    def _record(self, kind: str, name: str, body: ObjectBody, tags: dict[str, str]) -> Record:
        created = self.start // 1000 * 1000
        record = plain(kind, name, created, body, tags, self.region)
        return msgspec.structs.replace(
            record,
            id=uuid(kind, name, tags.get("speaker", ""), self.region),
            user_id=AGENTS[self.agent].user_id,
            bucket_id=self._bucket,
            updated=created + 5000,
        )


# Rare, large, old, deleted and hostile objects


HUGE = 2_400_000_000
"""Bytes of the one object that no zip of the service can hold."""

_HOUR = 3_600_000

OLD_TYPES = (
    *("calladditionalfields", "chattranscription", "cm-report", "meetings_transcriptions", "statehistory"),
    *("tcltransactions", "waveform"),
)
"""Types that only old documentation mentions."""

HOSTILE_NAMES = (
    "[bold red]not markup[/bold red].txt",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07.txt",
    "invoice\u202etxt.exe",
    "../../../etc/passwd",
    "C:\\Windows\\system32\\drivers\\etc\\hosts",
    "CON.txt",
    "line\nbreak\tand tab.txt",
    "zero\u200bwidth\ufeff.txt",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 family and  blanks .txt",
    "\uff57\uff49\uff44\uff45\u3000\u6587\u5b57.txt",
    "e\u0301clair.txt",
    "long-" + "x" * 240 + ".txt",
    "-rf",
    "",
)
"""Names that do harm if they reach a screen, a shell or a file system unchanged."""


def plain(
    kind: str, name: str, created: int, body: ObjectBody, tags: dict[str, str], region: str = "us-east"
) -> Record:
    """An object that belongs to no call."""
    return seal(
        Record(
            id=uuid(kind, name, created, region),
            region=region,
            type=kind,
            mime=_mime(name),
            name=name,
            customer_id=CUSTOMER_ID,
            user_id=AGENTS[created // 1000 % len(AGENTS)].user_id,
            bucket_id=uuid("bucket", kind, name, created, region),
            created=created,
            updated=created + 3000,
            body=body,
            tags=tuple(tags.items()),
        )
    )


def large(moment: int) -> Iterator[Record]:
    """Meetings; one is above what a zip may hold. Its bytes can be fetched: a film's header, and zeros."""
    for place, seconds in enumerate((1_800, 2_700, 1_950)):
        session = uuid("session", place)
        tags = {"duration": str(seconds * 1000), "meetingUrl": f"https://8x8.vc/acme/{place}", "sessionId": session}
        # Three parts of 5 MiB, so that the checksum ends in -3 or more and is no MD5 of the whole.
        body = film(seconds, min(seconds * BYTES_PER_SECOND, 15_000_000), PART)
        yield plain("meeting", f"weekly-{place}.mp4", moment + place * 24 * _HOUR, body, tags)
    tags = {"duration": str(5 * _HOUR), "meetingUrl": "https://8x8.vc/acme/all-hands", "sessionId": uuid("all hands")}
    yield plain("meeting", "all-hands.mp4", moment + 80 * _HOUR, film(18_000, HUGE, 8 * 2**20), tags)


def old(moment: int) -> Iterator[Record]:
    """Two objects of each old type, with ids of the old form and the service's first schema."""
    for place, kind in enumerate(OLD_TYPES):
        for number in range(2):
            created = moment + (place * 2 + number) * _HOUR
            choice = Random(created)
            text = _dump({"kind": kind, "version": 1, "values": [choice.randint(0, 100) for _ in range(12)]})
            body = ObjectBody(data=text)
            record = plain(kind, f"{kind}-{number}.json", created, body, {"tenantId": TENANT, "version": "1"})
            yield msgspec.structs.replace(record, id=f"{record.id.replace('-', '').upper():0<58}Q-", user_id="")


def hostile(moment: int) -> Iterator[Record]:
    """Objects with hostile names and tags, and one with the same tag twice."""
    for place, name in enumerate(HOSTILE_NAMES):
        text = f"The name of this object is {name!r}.\n".encode()
        tags = {"callId": f"hostile-{place}", "agentName": name[:60], "[link=file:///etc/passwd]tag[/]": "\x1b[2J"}
        yield plain("agentnotes", name, moment + place * 60_000, ObjectBody(data=text), tags)
    twice = plain("agentnotes", "twice.txt", moment + _HOUR, ObjectBody(data=b"One tag twice.\n"), {"callId": "twice"})
    yield msgspec.structs.replace(twice, tags=(*twice.tags, ("tenantId", TENANT), ("callId", "twice-again")))


def in_states(records: list[Record]) -> Iterator[Record]:
    """Records in every state but AVAILABLE."""
    states = ("ARCHIVED", "REVOKED", "ARCHIVED", "DELETED", "PENDING", "ARCHIVED", "FAILED", "REVOKED")
    for place, record in enumerate(records):
        yield msgspec.structs.replace(record, state=states[place % len(states)])


# All objects


REGIONS = ("us-east", "uk")
"""Regions that the company has."""

BUSY_DAY = 1_725_148_800_000
"""2024-09-01T00:00:00Z, in epoch milliseconds: the day with three pages of recordings."""

CALLS_THAT_DAY = 245

SPAN = (1_672_531_200_000, BUSY_DAY)
"""The time span of generated calls: from 2023-01-01 to the beginning of the busy day."""

_DAY = 86_400_000
_SHOWN = 94
"""Index of the call of the busy day that has every kind of object, shortly after nine."""


def records(seed: int) -> Iterator[Record]:
    """All objects that are not generated."""
    choice = Random(seed)
    yield from _busy_day(choice)
    yield from _uk(choice)
    yield from _work(choice)
    yield from _voicemails(choice)
    yield from in_states([Interaction(call, "us-east").recording for call in _calls(choice, _may(), 24)])
    yield from large(BUSY_DAY - 40 * _DAY)
    yield from old(BUSY_DAY - 500 * _DAY)
    yield from hostile(BUSY_DAY - 2 * _DAY)
    yield from _transferred(BUSY_DAY - 6 * _DAY + 36_000_000)


def _may() -> int:
    return BUSY_DAY - 480 * _DAY


def _calls(choice: Random, day: int, count: int) -> list[GeneratedCall]:
    """Calls spread over one day."""
    step = 86_390 // count
    calls = []
    for place in range(count):
        second = (day // 1000 + place * step + choice.randrange(step - 5)) // 5 * 5 + (place + 1) % 5
        agent, queue = choice.randrange(len(AGENTS)), choice.randrange(len(QUEUES))
        seconds = 5 + choice.randrange(300) * choice.randrange(300) // 300
        calls.append(
            GeneratedCall(
                second * 1000, seconds * 1000, agent, queue, choice.randrange(CUSTOMERS), choice.randrange(4) // 3
            )
        )
    return calls


def _busy_day(choice: Random) -> Iterator[Record]:
    calls = _calls(choice, BUSY_DAY, CALLS_THAT_DAY)
    khang = next(place for place, agent in enumerate(AGENTS) if agent.name == "Khang Glynn")
    level3 = next(place for place, queue in enumerate(QUEUES) if queue.name == "Level 3")
    shown = GeneratedCall(calls[_SHOWN].created, 1_271_000, khang, level3, 1203, 0)
    calls[_SHOWN] = shown
    for place, call in enumerate(calls):
        interaction = Interaction(call, "us-east")
        yield interaction.recording
        if place == _SHOWN:
            yield from _everything(interaction)
        elif place % 6 == 0:
            yield from (interaction.transcript(), interaction.summary(), interaction.sentiment())
        elif place % 25 == 7:
            yield from (interaction.survey(), interaction.notes(), interaction.screen())


def _everything(interaction: Interaction) -> Iterator[Record]:
    """Every kind of object that can belong to a call; five share one name."""
    yield from (interaction.transcript(), interaction.transcript(1), interaction.summary(), interaction.sentiment())
    yield from (interaction.survey(), interaction.notes(), interaction.screen(PART))
    yield from interaction.comment(recording("wav", 4, interaction.call.created))


def _uk(choice: Random) -> Iterator[Record]:
    for day in range(3):
        for call in _calls(choice, BUSY_DAY - (10 + day) * _DAY, 20):
            interaction = Interaction(call, "uk")
            yield interaction.recording
            if call.agent % 3 == 0:
                yield interaction.transcript()
    for number in range(8):
        call_start = BUSY_DAY - (30 + number) * _DAY + choice.randrange(_DAY)
        work = WorkCall("uk", call_start, 20 + number, choice.randrange(len(AGENTS)), choice.randrange(CUSTOMERS))
        yield from work.objects(transcribed=False, parts=number % 5 == 4)


def _work(choice: Random) -> Iterator[Record]:
    for number in range(48):
        start = BUSY_DAY - (number * 14 + 1) * _DAY + choice.randrange(_DAY)
        person = choice.randrange(CUSTOMERS)
        call = WorkCall("us-east", start, 3 + choice.randrange(240), choice.randrange(len(AGENTS)), person)
        yield from call.objects(transcribed=number % 2 == 0, parts=number % 5 == 4)


def _voicemails(choice: Random) -> Iterator[Record]:
    for number in range(8):
        start = BUSY_DAY - (number * 21 + 3) * _DAY + choice.randrange(_DAY)
        agent, person = choice.randrange(len(AGENTS)), choice.randrange(CUSTOMERS)
        yield WorkCall("us-east", start, 4, agent, person).voicemail(recording("wav", 4, number))
    for call in _calls(choice, BUSY_DAY - 5 * _DAY, 8):
        yield from _left_in_queue(Interaction(call, "us-east"))


def _transferred(moment: int) -> Iterator[Record]:
    """A transferred call: two recordings, of two calls, of one transaction."""
    legs = [GeneratedCall(moment + place * 400_000, 240_000, 21 - place * 9, 4 + place, 1210, 0) for place in range(2)]
    transaction = Interaction(legs[0], "us-east").recording.tag("transactionId") or ""
    for place, call in enumerate(legs):
        leg = Interaction(call, "us-east")
        for record in (leg.recording, leg.transcript(), leg.summary(), *([leg.notes()] if place else [])):
            tags = ((key, transaction if key == "transactionId" else value) for key, value in record.tags)
            yield msgspec.structs.replace(record, tags=tuple(tags))


def _left_in_queue(interaction: Interaction) -> Iterator[Record]:
    """A voicemail to the Contact Center and its transcript, from a call without a conversation."""
    recording = interaction.recording
    stem = recording.name.removesuffix(".mp3").replace("-phone-", "-vmail-")
    tags = {
        **dict(recording.tags),
        "callId": stem,
        "agentEmail": AGENTS[interaction.call.agent].email,
        "originalCallId": recording.tag("callId") or "",
    }
    mail = interaction.about("callcentervoicemail", f"{stem}.mp3", recording.body, tags)
    yield mail
    text = interaction.transcript()
    said = {"result": "success", "language": "en-US", "provider": "voci", "sourceId": mail.id}
    said["sourceObjectType"] = "callcentervoicemail"
    yield interaction.about("transcription", f"{stem}.json", text.body, {**tags, **said})
