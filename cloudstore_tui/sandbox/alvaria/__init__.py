"""The Alvaria side of the sandbox, v2 and v3, written from the vendor's pages."""

from cloudstore_tui.sandbox.alvaria.service import Alvaria
from cloudstore_tui.sandbox.alvaria.switches import SWITCHES
from cloudstore_tui.sandbox.alvaria.tokens import CLIENT_ID

__all__ = ["CLIENT_ID", "SWITCHES", "Alvaria"]
