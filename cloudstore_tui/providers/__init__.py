"""The services that the program knows: the one list."""

from cloudstore_tui.core.spec import ProviderSpec
from cloudstore_tui.providers.alvaria.spec import SPEC as ALVARIA
from cloudstore_tui.providers.eightbyeight.spec import SPEC as EIGHTBYEIGHT

PROVIDERS: tuple[ProviderSpec, ...] = (ALVARIA, EIGHTBYEIGHT)
