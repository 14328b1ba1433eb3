"""What can go wrong: a name, its parameters, and what it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cloudstore_tui.sandbox.faults.asked import Asked
from cloudstore_tui.sandbox.faults.exchange import Apply, Exchange
from cloudstore_tui.sandbox.faults.rule import Value

Test = Callable[[Asked], bool]


def always(_asked: Asked) -> bool:
    """Every request."""
    return True


def never(_asked: Asked) -> bool:
    """No request."""
    return False


async def _nothing(exchange: Exchange) -> None:
    await exchange.run()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    name: str
    text: str
    apply: Apply = _nothing
    """Does it to one request."""
    defaults: Mapping[str, Value] = field(default_factory=dict)
    """Its parameters."""
    fits: Test = always
    """The requests it can happen to."""
    mixes: Test = never
    """The requests that a client can be expected to repeat after it, so that a mix may contain it."""
    sparing: bool = False
    """In a mix at most once for a path: a client rightly gives up when it comes again."""
    in_mix: Mapping[str, Value] = field(default_factory=dict)
    """Its parameters in a mix."""
    stored: bool = False
    """Whether it is in what is stored, not in an answer."""
    underneath: bool = False
    """Whether it goes together with another fault of the same request."""
