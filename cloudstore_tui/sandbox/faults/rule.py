"""One rule: which requests go wrong, how, and how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import unquote

from cloudstore_tui.sandbox.faults.asked import Asked

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault for some requests."""

    fault: str
    """Name of its kind."""
    where: str = "any"
    """One of `asked.PLACES`."""
    method: str = ""
    """Empty for every one."""
    path: str = "*"
    """Pattern for the whole decoded path of the request, without or with its `?` and query."""
    skip: int = 0
    """So many matching requests pass first."""
    times: int = 1
    """So often it strikes; 0 for always."""
    share: float = 1.0
    """The part of the matching requests that it strikes, drawn by `seed`."""
    seed: int = 1
    values: Mapping[str, Value] = field(default_factory=dict)
    """Parameters of the kind that are not at their default."""

    def matches(self, asked: Asked) -> bool:
        """Whether a request is one of those."""
        if not asked.at(self.where) or self.method not in ("", asked.method):
            return False
        whole = f"{asked.path}?{unquote(asked.query)}"
        return self.path == "*" or fnmatchcase(asked.path, self.path) or fnmatchcase(whole, self.path)
