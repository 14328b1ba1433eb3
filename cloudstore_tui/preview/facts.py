"""What is known of an object before its first byte is read."""

from dataclasses import dataclass, replace

from cloudstore_tui.core.models import StoredObject


@dataclass(frozen=True, slots=True)
class Facts:
    """What the service tells of an object, or the archive of a member."""

    name: str
    mime: str = ""
    size: int | None = None
    """Exact bytes of the whole object."""
    seconds: float | None = None
    """How long it lasts, as the service says."""
    speaker: str = ""
    """Whose words it holds, where it holds those of one person."""
    depth: int = 0
    """How many wrappings were opened to get here."""
    effort: int = 1
    """How much more than usual the user wants to see."""

    @property
    def extension(self) -> str:
        """What follows the last dot of the name, in lower case."""
        return self.name.lower().rpartition(".")[2] if "." in self.name else ""

    def unpacked(self) -> "Facts":
        """The facts of what is inside a wrapping of one file."""
        name = self.name
        for ending, instead in ((".tgz", ".tar"), (".gz", ""), (".gzip", "")):
            if name.lower().endswith(ending):
                name = name[: -len(ending)] + instead
                break
        return replace(self, name=name, mime="", size=None, depth=self.depth + 1)

    def is_whole(self, data: bytes) -> bool:
        """Whether these first bytes are all there are."""
        return self.size is not None and len(data) >= self.size


def facts_of(entry: StoredObject) -> Facts:
    """What the service tells of an object."""
    size = entry.size if entry.size_exact else None
    return Facts(entry.name, entry.mime, size, entry.duration, entry.tag("speaker"))
