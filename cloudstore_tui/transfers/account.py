"""Whose account a profile is, so that nothing that was begun for one is gone on with for another."""

from collections.abc import Mapping

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.profile import Profile

_OPTIONS = {
    "org": "organisation",
    "client_id": "client id",
    "domain": "cloud",
    "api_base": "API address",
}
"""What tells accounts apart. No secret is among them."""


def account_of(profile: Profile) -> dict[str, str]:
    """The account, as the journal keeps it."""
    return {"provider": profile.provider} | {name: text for name in _OPTIONS if (text := profile.text(name))}


def check_account(profile: Profile, before: Mapping[str, str]) -> None:
    """Make sure that a profile is the account that a transfer was begun for; nothing is known of an empty one.

    Raises:
        ConfigError: it is another one.
    """
    now = account_of(profile)
    if not before or now == before:
        return
    names = [name for name in ("provider", *_OPTIONS) if now.get(name) != before.get(name)]
    differences = ", ".join(
        f"its {_OPTIONS.get(name, name)} was {before.get(name) or 'not set'} and is {now.get(name) or 'not set'}"
        for name in names
    )
    raise ConfigError(
        f"the profile is another account than the transfer was begun with: {differences}",
        subject=profile.name,
        hint="Use the configuration of then, or cancel the transfer and begin anew.",
    )
