"""The services that the program knows: the one list."""

from typing import TYPE_CHECKING

from cloudstore_tui.core.spec import ProviderSpec
from cloudstore_tui.providers.alvaria.spec import SPEC as ALVARIA
from cloudstore_tui.providers.eightbyeight.spec import SPEC as EIGHTBYEIGHT

if TYPE_CHECKING:
    from cloudstore_tui.core.profile import Profile
    from cloudstore_tui.core.provider import StorageProvider

PROVIDERS: tuple[ProviderSpec, ...] = (ALVARIA, EIGHTBYEIGHT)


def spec_of(name: str) -> ProviderSpec:
    """What the service says of itself that a profile names as its provider."""
    return next(spec for spec in PROVIDERS if spec.name == name)


def open_provider(profile: "Profile") -> "StorageProvider":
    """The service of a profile, logged in with what the profile says."""
    return spec_of(profile.provider).open(profile)
