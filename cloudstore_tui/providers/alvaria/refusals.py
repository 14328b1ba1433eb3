"""What the service's refusals mean, and what the user can do about them."""

import shlex

import msgspec

from cloudstore_tui.core.errors import (
    ForbiddenError,
    LoginError,
    MissingError,
    StorageError,
    UsageError,
)
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.net import Reply
from cloudstore_tui.providers.alvaria.scopes import needs_v3, usual_scope


class BadRequestError(UsageError):
    """The service does not understand the request: status 400."""


class Refusals:
    """The hints for one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def explain(self, reply: Reply, error: StorageError) -> StorageError:
        """What is behind a status, before it is known which key the request was about."""
        if reply.status == 400:
            return BadRequestError(
                error.message,
                subject=error.subject,
                status=reply.status,
                service_code=error.service_code,
                service_message=error.service_message,
            )
        if reply.status not in (401, 403):
            return error
        # The token service took the credentials just now, so this is about the folder and not about the login.
        if not _is_gateway(reply.body):
            return ForbiddenError(
                error.message, subject=error.subject, status=reply.status, service_message=error.service_message
            )
        return LoginError(
            "the service does not know the api key of the profile",
            subject=error.subject,
            hint=f"Check the api_key of profile {self._profile.name}: Alvaria gave it out for the header x-api-key.",
        )

    def about(self, error: StorageError, key: str) -> StorageError:
        """The same error with a hint for this key."""
        if isinstance(error, ForbiddenError) and not error.hint:
            return self._no_permission(error, key)
        if isinstance(error, MissingError) and not error.hint:
            return error.with_(hint=self._where_to_look(key))
        return error

    def login(self, error: StorageError) -> StorageError:
        """A token that was refused, with what to check."""
        if not isinstance(error, LoginError):
            return error
        name = self._profile.name
        if error.service_code == "invalid_scope":
            hint = f"Check scopes of profile {name}, and ask Alvaria whether its client was given them."
        else:
            hint = (
                f"Check client_id, the secret, org and token_host of profile {name}. A secret that has expired is "
                "refused alike: Alvaria gives a new one."
            )
        return error.with_(hint=hint)

    def _no_permission(self, error: ForbiddenError, key: str) -> StorageError:
        name, scope = self._profile.name, usual_scope(key)
        words = error.service_message.rstrip(". ")
        if not scope:
            hint = f"Check scopes of profile {name}, and ask Alvaria whether its client was given them."
        elif scope in self._profile.texts("scopes"):
            hint = f"It usually needs the scope {scope}, which the profile asks for: was the client given it?"
        else:
            hint = f"It usually needs the scope {scope}: add it to scopes of profile {name}."
        folder = key[: key.rfind("/") + 1] or key
        message = f"no permission for the folder {folder}" + (f" ({words})" if words else "")
        return ForbiddenError(message, subject=error.subject, hint=hint)

    def _where_to_look(self, key: str) -> str:
        name = self._profile.name
        if self._profile.text("api_version") == "v2" and needs_v3(key):
            return f'This folder needs v3: set api_version = "v3" in profile {name}.'
        if key.endswith("/") or "." in key.rpartition("/")[2]:
            return f"See what is there: cloudstore ls {shlex.quote(f'{name}:{_above(key)}')}"
        return f"If it is a folder, write it with a slash at its end: {name}:{key}/"


def _above(key: str) -> str:
    return key.rstrip("/").rpartition("/")[0] + "/" if "/" in key.rstrip("/") else ""


def _is_gateway(body: bytes) -> bool:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return False
    return isinstance(told, dict) and set(told) == {"message"} and str(told["message"]).lower() == "forbidden"
