"""What part files are called: names that nothing else has, and that no journal can turn into somebody's file."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cloudstore_tui.core.models import Location

_PART = re.compile(r"\.cs-[0-9a-f]{12}(-[0-9a-f]{8})?\.part")


@dataclass(frozen=True, slots=True)
class PartNames:
    """The names that one transfer may give its part file."""

    shared: str
    """The same in every run, so that the next one finds it, and the lock on it keeps others away."""
    alone: str
    """Nobody else has it: for file systems without locks."""

    @classmethod
    def of(cls, part_id: str) -> Self:
        """Names for the part file of one object and target."""
        return cls(f".cs-{part_id}.part", f".cs-{part_id}-{secrets.token_hex(4)}.part")


def is_part_name(name: str) -> bool:
    """Whether a file of this name can be a part file of ours."""
    return _PART.fullmatch(name) is not None


def part_id_of(provider: str, profile: str, location: Location, target: Path) -> str:
    """The same for the same object and file, so that two transfers of it meet, and never for others."""
    names = (provider, profile, location.region, location.path, str(target.absolute()))
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:12]
