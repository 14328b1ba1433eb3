"""What is known of a sandbox before it starts: its address, its clients, and a configuration for them.

Imports no server, so that a demo can show its profiles while the sandbox is starting.
"""

import hashlib
import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from cloudstore_tui.core.errors import UsageError

ALVARIA_CLIENT = "acme-sandbox-client"
"""The client of Alvaria that may do everything."""
EIGHT_BY_EIGHT_CLIENT = "acme8-edit"
"""The key of 8x8 that may do everything."""

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

Login = tuple[str, str, Mapping[str, str]]
"""Profile, client id, and secrets by name."""


def key_of(seed: int, use: str) -> str:
    """A secret of the sandbox for one purpose, which depends on nothing but the seed."""
    return hashlib.blake2b(f"{seed}:{use}".encode(), digest_size=20).hexdigest()


def logins(seed: int) -> tuple[Login, ...]:
    """The credentials of the sandbox's profiles."""
    alvaria = {"secret": alvaria_secret(seed, ALVARIA_CLIENT), "api_key": alvaria_api_key(seed)}
    return (
        ("acme", ALVARIA_CLIENT, alvaria),
        ("acme-v2", ALVARIA_CLIENT, alvaria),
        ("acme8", EIGHT_BY_EIGHT_CLIENT, {"secret": key_of(seed, EIGHT_BY_EIGHT_CLIENT)}),
    )


def alvaria_secret(seed: int, client: str) -> str:
    return key_of(seed, f"alvaria-secret:{client}")


def alvaria_api_key(seed: int) -> str:
    """The only key for `x-api-key`."""
    return key_of(seed, "alvaria-api-key")


def write_config(folder: Path, base: str, logins: Iterable[Login]) -> Path:
    """Write `config.toml` and the secrets beside it, readable by their owner only; `base` is where the APIs listen."""
    text = _HEAD
    for profile, client, secrets in logins:
        text += _TEMPLATES[profile].format(profile=profile, base=base, client=client)
        for name, secret in secrets.items():
            _write_private(folder / f"{profile}.{name}", f"{secret}\n")
    path = folder / "config.toml"
    _write_private(path, text)
    return path


def _write_private(path: Path, text: str) -> None:
    """Replace a file: writing through a link would go elsewhere, and an old mode might let others read it."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on, even before anything answers them.

    Raises:
        UsageError: nothing can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, because the event loop sets TCP_NODELAY only on sockets that are known to be TCP.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise UsageError(
            f"cannot listen there ({error.strerror})", subject=f"{host}:{port}", hint="--port 0 takes any free port."
        ) from None
    return sock


def url_of(host: str, sock: socket.socket) -> str:
    """The URL of a socket."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{sock.getsockname()[1]}"
