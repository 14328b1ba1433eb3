"""The folder that everything of one call goes to."""

from datetime import tzinfo
from pathlib import Path

from cloudstore_tui.archive.template import Template
from cloudstore_tui.core.entry import StoredObject
from cloudstore_tui.core.errors import ConfigError, UsageError


class CallFolder:
    """Names folders by a template of the settings."""

    def __init__(self, text: str, zone: tzinfo) -> None:
        """Read a template.

        Raises:
            ConfigError: something in it cannot be used; tells where.
        """
        text = text.rstrip("/")
        try:
            Template(text, zone)
        except UsageError as error:
            raise ConfigError(error.message, subject="call_folder under [settings]", hint=error.hint) from None
        # Or the last folder would get the extension of a file.
        self._template = Template(f"{text}/{{name}}", zone)

    def path(self, likeness: StoredObject, provider: str) -> Path:
        """Where the files of a call go, below the folder for downloads; each segment is harmless.

        Args:
            likeness: an object with all tags that those of the call have.
            provider: the name of its service.
        """
        return Path(*self._template.path(likeness, provider)[:-1])
