"""Profiles, places and moments in few words, for lists of them."""

from datetime import datetime

from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.state.memory import Visited
from cloudstore_tui.ui.format import place_names

_MINUTE_S = 60
_HOUR_S = 60 * _MINUTE_S
_DAY_S = 24 * _HOUR_S


def service_name(profile: Profile) -> str:
    """The service of a profile, with its version where there are several: `8x8`, `Alvaria v3`."""
    kind = profile.provider[:1].upper() + profile.provider[1:]
    version = profile.options.get("api_version")
    return f"{kind} {version}" if version else kind


def place_title(location: Location) -> str:
    """What to call a place among others: `outreach/nanp`, `Call recordings 2024-09`, `us-east`."""
    if location.path:
        return "/".join(location.path.rstrip("/").split("/")[-2:])
    if location.place:
        kind, *rest = place_names(location)
        return " ".join(part for part in (kind, "-".join(rest)) if part)
    return location.region or location.profile


def place_above(location: Location) -> str:
    """Where a place is, as far as its title does not say it: `acme imports`, `acme8 us-east`."""
    above = location.path.rstrip("/").split("/")[:-2]
    parts = (location.profile, location.region if location.place or location.path else "", *above[:1])
    return " ".join(part for part in parts if part)


def visit_title(visit: Visited) -> str:
    """What to call somewhere that the user was."""
    return (visit.title or visit.find) if visit.find else place_title(visit.location)


def visit_above(visit: Visited) -> str:
    """Where that was: `search in acme8 us-east`, `acme imports`."""
    if not visit.find:
        return place_above(visit.location)
    return " ".join(part for part in ("search in", visit.profile, visit.region) if part)


def ago(at: int, now: datetime) -> str:
    """`just now`, `2 min ago`, `3 h ago`, `yesterday`, `5 days ago`; empty if nobody knows."""
    if not at:
        return ""
    seconds = max(int(now.timestamp()) - at, 0)
    if seconds < _MINUTE_S:
        return "just now"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} min ago"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S} h ago"
    days = seconds // _DAY_S
    return "yesterday" if days == 1 else f"{days} days ago"
