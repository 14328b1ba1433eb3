"""The zones in which times can be shown."""

import os
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOCALTIME = Path("/etc/localtime")


def zones_to_show(chosen: ZoneInfo) -> tuple[tzinfo, ...]:
    """The user's zone first, then UTC and this machine's, each clock once."""
    zones: list[tzinfo] = []
    for zone in (chosen, ZoneInfo("UTC"), local_zone()):
        if not any(_same_clock(zone, other) for other in zones):
            zones.append(zone)
    return tuple(zones)


def local_zone() -> tzinfo:
    """This machine's zone, with its summer times where the machine knows them."""
    try:
        if name := os.environ.get("TZ", "").removeprefix(":"):
            return ZoneInfo(name)
        with LOCALTIME.open("rb") as file:
            return ZoneInfo.from_file(file, key="local")
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return datetime.now().astimezone().tzinfo or UTC


def zone_name(zone: tzinfo) -> str:
    """What to call a zone on the screen."""
    return str(zone)


def zone_label(zone: tzinfo, span: tuple[int, int] = (0, 0)) -> str:
    """What clocks in a zone are said to show: `UTC`, `EDT`, `UTC+3`; `EST/EDT` for times of both.

    Args:
        zone: the zone.
        span: the oldest and the newest time that is shown, in seconds of the epoch; without one, now is meant.
    """
    moments = [datetime.fromtimestamp(moment, UTC) for moment in span if moment] or [datetime.now(UTC)]
    return "/".join(dict.fromkeys(_clock_name(moment.astimezone(zone)) for moment in moments))


def _clock_name(moment: datetime) -> str:
    name = moment.tzname() or ""
    if name[:1] not in ("+", "-"):
        return name
    # Zones without letters of their own: `+0530`.
    minutes = name[3:5] if name[3:5].strip("0") else ""
    return f"UTC{name[0]}{int(name[1:3])}{':' if minutes else ''}{minutes}"


def _same_clock(one: tzinfo, other: tzinfo) -> bool:
    year = datetime.now(UTC).year
    moments = (datetime(year, month, 1, tzinfo=UTC) for month in (1, 4, 7, 10))
    return all(moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset() for moment in moments)
