"""Objects that are rare, large, old, gone or hostile: what a client meets on its worst day."""

from collections.abc import Iterator
from dataclasses import replace

from cloudstore_tui.sandbox.eightbyeight import documents
from cloudstore_tui.sandbox.eightbyeight.body import Body
from cloudstore_tui.sandbox.eightbyeight.film import BYTES_PER_SECOND, film
from cloudstore_tui.sandbox.eightbyeight.interactions import PART, seal, uuid
from cloudstore_tui.sandbox.eightbyeight.people import AGENTS, CUSTOMER_ID, TENANT
from cloudstore_tui.sandbox.eightbyeight.record import Record

HUGE = 2_400_000_000
"""Bytes of the one object that no zip of the service can hold."""

_HOUR = 3_600_000

OLD_TYPES = (
    *("calladditionalfields", "chattranscription", "cm-report", "meetings_transcriptions", "statehistory"),
    *("tcltransactions", "waveform"),
)
"""Types that only old pages mention."""

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
"""Names that do harm where they reach a screen, a shell or a file system as they are."""


def plain(kind: str, name: str, created: int, body: Body, tags: dict[str, str], region: str = "us-east") -> Record:
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


def _mime(name: str) -> str:
    endings = {".mp4": "video/mp4", ".json": "application/json", ".txt": "text/plain"}
    return next((mime for ending, mime in endings.items() if name.endswith(ending)), "application/octet-stream")


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
            body = Body(data=documents.record(kind, created))
            record = plain(kind, f"{kind}-{number}.json", created, body, {"tenantId": TENANT, "version": "1"})
            yield replace(record, id=f"{record.id.replace('-', '').upper():0<58}Q-", user_id="")


def hostile(moment: int) -> Iterator[Record]:
    """Objects with hostile names and tags, and one with the same tag twice."""
    for place, name in enumerate(HOSTILE_NAMES):
        text = f"The name of this object is {name!r}.\n".encode()
        tags = {"callId": f"hostile-{place}", "agentName": name[:60], "[link=file:///etc/passwd]tag[/]": "\x1b[2J"}
        yield plain("agentnotes", name, moment + place * 60_000, Body(data=text), tags)
    twice = plain("agentnotes", "twice.txt", moment + _HOUR, Body(data=b"One tag twice.\n"), {"callId": "twice"})
    yield replace(twice, tags=(*twice.tags, ("tenantId", TENANT), ("callId", "twice-again")))


def in_states(records: list[Record]) -> Iterator[Record]:
    """Some records in every state but AVAILABLE."""
    states = ("ARCHIVED", "REVOKED", "ARCHIVED", "DELETED", "PENDING", "ARCHIVED", "FAILED", "REVOKED")
    for place, record in enumerate(records):
        yield replace(record, state=states[place % len(states)])
