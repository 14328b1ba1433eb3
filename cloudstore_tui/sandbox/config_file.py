"""A ready-made configuration for the sandbox, with its secrets in files beside it."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_HEAD = """\
# Made by `cloudstore sandbox`. Use it with: export CLOUDSTORE_CONFIG=<this file>
"""
_ALVARIA = """
[profiles.{profile}]
provider = "alvaria"
org = "acme"
api_version = "{version}"
api_base = "{base}"
token_url = "{base}/tokenservice/oauth2/access_token"
client_id = "{client}"
scopes = ["mediastorageapi.exports", "mediastorageapi.imports"]
read_only = false
requests_per_minute = 0
secret_file = "{profile}.secret"
api_key_file = "{profile}.api_key"
"""
_EIGHT_BY_EIGHT = """
[profiles.{profile}]
provider = "8x8"
api_base = "{base}"
token_url = "{base}/oauth/v2/token"
client_id = "{client}"
read_only = false
requests_per_minute = 0
secret_file = "{profile}.secret"
"""
_TEMPLATES = {
    "acme": _ALVARIA.replace("{version}", "v3"),
    "acme-v2": _ALVARIA.replace("{version}", "v2"),
    "acme8": _EIGHT_BY_EIGHT,
}


def write_config(folder: Path, base: str, logins: Iterable[tuple[str, str, Mapping[str, str]]]) -> Path:
    """Write `config.toml` and the secrets beside it, readable by their owner only.

    Args:
        folder: where to; it is there.
        base: where the APIs listen.
        logins: profile, client id, and secrets by name.
    """
    text = _HEAD
    for profile, client, secrets in logins:
        text += _TEMPLATES[profile].format(profile=profile, base=base, client=client)
        for name, secret in secrets.items():
            _write_private(folder / f"{profile}.{name}", f"{secret}\n")
    path = folder / "config.toml"
    _write_private(path, text)
    return path


def _write_private(path: Path, text: str) -> None:
    """Write a new file, whatever was there before: a link would lead elsewhere, an old mode let others in."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
