"""The folders of the user's files, and paths as users write them. Nothing here creates a file or a folder."""

import os
import re
import shlex
import stat
from pathlib import Path

import platformdirs

from cloudstore_tui.core.errors import ConfigError

_APP = "cloudstore"
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)\}|(?P<bare>[A-Za-z_][A-Za-z0-9_]*))")


def config_file() -> Path:
    """The configuration file: `$CLOUDSTORE_CONFIG`, else `config.toml` in the platform's config folder."""
    chosen = os.environ.get("CLOUDSTORE_CONFIG")
    return user_path(chosen) if chosen else config_folder() / "config.toml"


def config_folder() -> Path:
    """The platform's folder for this program's configuration."""
    return Path(platformdirs.user_config_dir(_APP))


def themes_folder() -> Path:
    """The folder of the user's own themes."""
    return config_folder() / "themes"


def state_folder() -> Path:
    """The folder for what the program must keep across restarts."""
    return Path(platformdirs.user_state_dir(_APP))


def user_path(text: str) -> Path:
    """A path as users write it, with `~`, `~name`, `$NAME` and `${NAME}` expanded as in a shell.

    Shells do not expand them after `--to=`, nor does anything in a configuration. A variable that is not set stays as
    it is, and so does a path that exists exactly as written.
    """
    if os.path.lexists(text):
        return Path(text)
    expanded = _VARIABLE.sub(lambda found: os.environ.get(found["braced"] or found["bare"], found[0]), text)
    return Path(os.path.expanduser(expanded))  # noqa: PTH111 - Path's own fails where there is no such user


def read_bounded(path: Path, most: int, what: str) -> bytes:
    """The bytes of a small file.

    Raises:
        ConfigError: it cannot be read, is not a regular file, or is larger than `most` bytes.
    """
    try:
        # Without blocking: a pipe that nobody writes to would never open.
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(f"{what} has to be a regular file", subject=str(path), hint="Name a file.")
            data = file.read(most + 1)
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}", subject=str(path)) from None
    if len(data) > most:
        raise ConfigError(f"is larger than {most:,} bytes", subject=str(path), hint=f"This cannot be {what}.")
    return data


def check_trusted(path: Path) -> None:
    """Refuse a configuration that others can change: it names programs to run and hosts that receive secrets.

    Raises:
        ConfigError: others can change it; the hint has the command that fixes this.
    """
    if os.name != "posix":
        return
    try:
        file, folder = path.stat(), path.resolve().parent
        open_to_all = folder.stat().st_mode & (stat.S_IWOTH | stat.S_ISVTX) == stat.S_IWOTH
    except OSError:
        return  # reading it reports the error
    for found, where in ((file.st_mode & stat.S_IWOTH, path), (open_to_all, folder)):
        if found:
            raise ConfigError(
                "anybody on this machine can change it, and with it where your secrets are sent",
                subject=str(where),
                hint=f"Run: chmod o-w {shlex.quote(str(where))}",
            )
    if file.st_uid not in (0, os.getuid()) and os.getuid():
        raise ConfigError(
            "belongs to another user, who can change where your secrets are sent",
            subject=str(path),
            hint="Copy it, and name the copy in CLOUDSTORE_CONFIG.",
        )


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
