"""Where the user's files live. Nothing here creates a file or a folder."""

import os
from pathlib import Path

import platformdirs

_APP = "cloudstore"


def config_file() -> Path:
    """The configuration file: `$CLOUDSTORE_CONFIG`, else `config.toml` in the platform's config folder."""
    chosen = os.environ.get("CLOUDSTORE_CONFIG")
    return Path(chosen).expanduser() if chosen else config_folder() / "config.toml"


def config_folder() -> Path:
    """The platform's folder for this program's configuration."""
    return Path(platformdirs.user_config_dir(_APP))


def themes_folder() -> Path:
    """Where the user's own themes are."""
    return config_folder() / "themes"


def state_folder() -> Path:
    """Where the program keeps what must survive a restart."""
    return Path(platformdirs.user_state_dir(_APP))
