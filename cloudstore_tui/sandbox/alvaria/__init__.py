"""The Alvaria side of the sandbox, v2 and v3, written from the vendor's pages."""

from cloudstore_tui.sandbox.alvaria.access import CLIENT_ID, SWITCHES
from cloudstore_tui.sandbox.alvaria.service import Alvaria

__all__ = ["CLIENT_ID", "SWITCHES", "Alvaria"]
