"""What names the part file of a transfer."""

import hashlib
from pathlib import Path

from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Profile


def part_id_of(profile: Profile, location: Location, target: Path) -> str:
    """The same for the same object and file, so that two transfers of it meet, and never for others."""
    names = (profile.provider, profile.name, location.region, location.path, str(target.absolute()))
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:12]
