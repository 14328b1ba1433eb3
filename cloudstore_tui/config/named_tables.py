"""A file of tables that the user names: `[name]`, each one thing. People edit it, so what else is in it stays."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from cloudstore_tui.config.document import Document
from cloudstore_tui.config.toml_edit import with_name, without_table
from cloudstore_tui.core.errors import ConfigError, UsageError
from cloudstore_tui.fs.private_file import turn, write_private

Item = TypeVar("Item")


class NamedTables(ABC, Generic[Item]):
    """The things of one file. It is read again each time: people edit it while the browser runs."""

    noun: ClassVar[str]
    """What one of them is called."""

    def __init__(self, path: Path | None = None) -> None:
        """Keep them in a file; without one they end with the program."""
        self.path = path
        self._unkept: dict[str, Item] = {}

    @abstractmethod
    def _items(self, document: Document) -> Mapping[str, Item]:
        """What is in the file.

        Raises:
            ConfigError: something in it cannot be used.
        """

    @abstractmethod
    def _called(self, item: Item, name: str) -> Item:
        """The same under another name."""

    @abstractmethod
    def _check_name(self, name: str) -> None:
        """Refuse what cannot be a name.

        Raises:
            UsageError: it cannot.
        """

    def read(self) -> Mapping[str, Item]:
        """All of them by name, as in the file; a file that does not exist holds none.

        Raises:
            ConfigError: the first thing in it that cannot be used, with file, line and cure.
        """
        if self.path is None:
            return dict(self._unkept)
        return self._items(Document.read(self.path)) if self.path.exists() else {}

    def remove(self, name: str) -> None:
        """Forget one; what is not there is forgotten already.

        Raises:
            ConfigError: the file cannot be used as it is.
            LocalDiskError: the file cannot be written.
        """
        with turn(self.path):
            known = dict(self.read())
            if known.pop(name, None) is not None:
                self._change(known, name, lambda text: without_table(text, (name,)))

    def rename(self, old: str, new: str) -> None:
        """Give one another name.

        Raises:
            UsageError: the name cannot be one, or is another one's.
            ConfigError: the file cannot be used as it is.
            LocalDiskError: the file cannot be written.
        """
        self._check_name(new)
        with turn(self.path):
            known = dict(self.read())
            if old == new or old not in known:
                return
            if new in known:
                raise UsageError(
                    f"there is a {self.noun} of that name already", subject=new, hint="Choose another name."
                )
            renamed = {(new if name == old else name): item for name, item in known.items()}
            renamed[new] = self._called(renamed[new], new)
            self._change(renamed, old, lambda text: with_name(text, (old,), new))

    def _change(self, wanted: dict[str, Item], name: str, change: Callable[[str], str]) -> None:
        if self.path is None:
            self._unkept = wanted
            return
        # Read as bytes: line ends are the user's, too.
        changed = change(self.path.read_bytes().decode() if self.path.exists() else "")
        # People write TOML in more ways than are known here: what cannot be changed is left alone.
        if self._items(Document.parse(self.path, changed)) != wanted:
            raise ConfigError(f"{name} cannot be changed here", subject=str(self.path), hint="Change it in the file.")
        write_private(self.path, changed)
