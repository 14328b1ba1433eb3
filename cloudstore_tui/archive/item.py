"""One object of a pull, and what became of it."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.location import Location


class Fate(StrEnum):
    """What became of an object."""

    WANTED = "wanted"
    """Nothing yet."""
    UNDER_WAY = "under way"
    """A transfer of an earlier run brings it."""
    HAD = "had"
    """It was there already, complete."""
    FETCHED = "fetched"
    SKIPPED = "skipped"
    """Another file has its name, and the user wants that left alone."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Item:
    """One object and where it goes."""

    number: int
    entry: StoredObject
    path: PurePosixPath
    """Below the folder of the pull."""

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return key_of(self.entry.location)


def key_of(location: Location) -> str:
    """What tells an object from all others of all profiles, as a text that every database takes."""
    return json.dumps([location.profile, location.region, location.path])
