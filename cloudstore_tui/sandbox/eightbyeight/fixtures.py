"""What a new sandbox holds: the same for the same seed."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from cloudstore_tui.sandbox.content.recording import recording
from cloudstore_tui.sandbox.eightbyeight import oddities
from cloudstore_tui.sandbox.eightbyeight.calls import Call
from cloudstore_tui.sandbox.eightbyeight.interactions import PART, Interaction
from cloudstore_tui.sandbox.eightbyeight.people import AGENTS, CUSTOMERS, QUEUES
from cloudstore_tui.sandbox.eightbyeight.record import Record
from cloudstore_tui.sandbox.eightbyeight.work import WorkCall

REGIONS = ("us-east", "uk")
"""Regions that the company has."""

BUSY_DAY = 1_725_148_800_000
"""2024-09-01T00:00:00Z, in epoch milliseconds: the day with three pages of recordings."""

CALLS_THAT_DAY = 245

SPAN = (1_672_531_200_000, BUSY_DAY)
"""When generated calls take place: 2023-01-01 until the busy day begins."""

_DAY = 86_400_000
_SHOWN = 94
"""Which call of the busy day has everything: shortly after nine."""


def records(seed: int) -> Iterator[Record]:
    """All objects that are kept one by one."""
    choice = Random(seed)
    yield from _busy_day(choice)
    yield from _uk(choice)
    yield from _work(choice)
    yield from _voicemails(choice)
    yield from oddities.in_states([Interaction(call, "us-east").recording for call in _calls(choice, _may(), 24)])
    yield from oddities.large(BUSY_DAY - 40 * _DAY)
    yield from oddities.old(BUSY_DAY - 500 * _DAY)
    yield from oddities.hostile(BUSY_DAY - 2 * _DAY)
    yield from _transferred(BUSY_DAY - 6 * _DAY + 36_000_000)


def _may() -> int:
    return BUSY_DAY - 480 * _DAY


def _calls(choice: Random, day: int, count: int) -> list[Call]:
    """Calls spread over one day; the seconds tell every fifth, see `calls.body_of`."""
    step = 86_390 // count
    calls = []
    for place in range(count):
        second = (day // 1000 + place * step + choice.randrange(step - 5)) // 5 * 5 + (place + 1) % 5
        agent, queue = choice.randrange(len(AGENTS)), choice.randrange(len(QUEUES))
        seconds = 5 + choice.randrange(300) * choice.randrange(300) // 300
        calls.append(
            Call(second * 1000, seconds * 1000, agent, queue, choice.randrange(CUSTOMERS), choice.randrange(4) // 3)
        )
    return calls


def _busy_day(choice: Random) -> Iterator[Record]:
    calls = _calls(choice, BUSY_DAY, CALLS_THAT_DAY)
    khang = next(place for place, agent in enumerate(AGENTS) if agent.name == "Khang Glynn")
    level3 = next(place for place, queue in enumerate(QUEUES) if queue.name == "Level 3")
    shown = Call(calls[_SHOWN].created, 1_271_000, khang, level3, 1203, 0)
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
    """All that can belong to one call; five of them share one name."""
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
    """A call that one agent passed on to another: two recordings, of two calls, of one transaction."""
    legs = [Call(moment + place * 400_000, 240_000, 21 - place * 9, 4 + place, 1210, 0) for place in range(2)]
    transaction = Interaction(legs[0], "us-east").recording.tag("transactionId") or ""
    for place, call in enumerate(legs):
        leg = Interaction(call, "us-east")
        for record in (leg.recording, leg.transcript(), leg.summary(), *([leg.notes()] if place else [])):
            tags = ((key, transaction if key == "transactionId" else value) for key, value in record.tags)
            yield replace(record, tags=tuple(tags))


def _left_in_queue(interaction: Interaction) -> Iterator[Record]:
    """A message to the Contact Center and its transcript: objects of a call that led to no conversation."""
    recording = interaction.recording
    stem = recording.name.removesuffix(".mp3").replace("-phone-", "-vmail-")
    tags = {
        **dict(recording.tags),
        "callId": stem,
        "agentEmail": AGENTS[interaction.call.agent].email,
        "originalCallId": recording.tag("callId") or "",
    }
    mail = interaction.about("callcentervoicemail", f"{stem}.mp3", "audio/mpeg", recording.body, tags)
    yield mail
    text = interaction.transcript()
    said = {"result": "success", "language": "en-US", "provider": "voci", "sourceId": mail.id}
    said["sourceObjectType"] = "callcentervoicemail"
    yield interaction.about("transcription", f"{stem}.json", "application/json", text.body, {**tags, **said})
