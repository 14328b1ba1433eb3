"""Where something is, and how users write it."""

import re
from dataclasses import dataclass, replace

from cloudstore_tui.core.errors import UsageError

_PROFILE = re.compile(r"[A-Za-z0-9_-]+")
"""A word that can name a profile, and nothing else that people type in place of an address."""


@dataclass(frozen=True, slots=True)
class Location:
    """One thing or folder of one profile; equal locations are the same thing.

    `profile` is the name the user gave; `region` is empty where the service has no regions, or for all of them.
    `path` is the service's own name for the thing: an Alvaria key (folders end with `/`, the root is empty) or an
    8x8 object id (empty for the region itself). `place` names the virtual folders that a provider puts above its
    objects so that they can be browsed, outermost first: `("callcenterrecording", "2024", "09", "01")`.
    """

    profile: str
    region: str = ""
    path: str = ""
    place: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """As the user writes it on the command line: `acme:exports/x.tar`, `acme8:us-east/<id>`, `acme8:`.

        A place has no address of its own; it shows the one of its region, then ` › ` and its names.
        """
        region = f"{self.region}/" if self.region else ""
        shown = "".join(f" › {name}" for name in self.place)
        return f"{self.profile}:{region}{self.path}{shown}"

    def child(self, name: str) -> "Location":
        """The place called `name` below this one."""
        return replace(self, place=(*self.place, name))


def split_address(address: str) -> tuple[str, str]:
    """Split `profile:rest` into its two halves; a profile alone is the address of all of it.

    Raises:
        UsageError: it names no profile.
    """
    profile, colon, rest = address.partition(":")
    if not profile or (not colon and not _PROFILE.fullmatch(profile)):
        raise UsageError(
            "a path is written PROFILE:REST",
            subject=address,
            hint="For example acme:exports/reporting/ or acme8:us-east/. `cloudstore profile list` shows the names.",
        )
    return profile, rest
