"""HTTP for the providers: one client for one API host, with login, retry, pace, and what refusals mean.

Knows no service. Nothing heavy is imported before the first request.
"""

from cloudstore_tui.rest.address import api_address, segment
from cloudstore_tui.rest.client import ApiClient
from cloudstore_tui.rest.login import Login, Token, basic, read_secret, token_life
from cloudstore_tui.rest.problem import LostReplyError
from cloudstore_tui.rest.reply import Reply

__all__ = [
    "ApiClient",
    "Login",
    "LostReplyError",
    "Reply",
    "Token",
    "api_address",
    "basic",
    "read_secret",
    "segment",
    "token_life",
]
