"""Everything on the wire below the services: JSON calls, logins, bytes, retries, limits, and what refusals mean.

Knows no service. Nothing heavy is imported before the first request.
"""

from cloudstore_tui.net.api import ApiClient, api_address, segment
from cloudstore_tui.net.auth import AccessToken, Login, basic, read_secret, token_life
from cloudstore_tui.net.failures import LostReplyError
from cloudstore_tui.net.reply import Reply

__all__ = [
    "AccessToken",
    "ApiClient",
    "Login",
    "LostReplyError",
    "Reply",
    "api_address",
    "basic",
    "read_secret",
    "segment",
    "token_life",
]
