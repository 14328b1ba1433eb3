"""Where the user has been."""

from dataclasses import dataclass, field

from cloudstore_tui.ui.browser.visit import Visit

LONGEST = 200
"""Steps that can be gone back; nobody remembers more."""


@dataclass(frozen=True, slots=True)
class Step:
    """A visit, and the entry that was under the cursor when it was left."""

    visit: Visit
    at: str = ""
    until: int = 0
    """How many rows were loaded."""
    top: int = 0
    """The first row in view."""


@dataclass(slots=True)
class History:
    """Steps back and steps forward, as in a web browser."""

    _back: list[Step] = field(default_factory=list)
    _forward: list[Step] = field(default_factory=list)

    @property
    def can_go_back(self) -> bool:
        """Whether there is a step back."""
        return bool(self._back)

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a step forward."""
        return bool(self._forward)

    def leave(self, step: Step) -> None:
        """Remember a visit that is left for a new one; there is no way forward then."""
        self._back = [*self._back[1 - LONGEST :], step]
        self._forward.clear()

    def back(self, now: Step) -> Step:
        """The step before; `now` can be gone forward to."""
        self._forward.append(now)
        return self._back.pop()

    def forward(self, now: Step) -> Step:
        """The step after; `now` can be gone back to."""
        self._back.append(now)
        return self._forward.pop()
