"""A mix: a fault for a share of all requests, the same ones for the same seed, whoever comes first."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from random import Random

from cloudstore_tui.sandbox.faults.asked import Asked
from cloudstore_tui.sandbox.faults.catalogue import KINDS
from cloudstore_tui.sandbox.faults.kind import Kind
from cloudstore_tui.sandbox.faults.rule import Rule, Value

DEFAULTS: Mapping[str, Value] = {"most": 2, "only": "", "without": ""}
"""Parameters: faults in a row for one path, so that there is progress; names of all kinds, or of those left out."""


def names_in(rule: Rule, key: str) -> list[str]:
    """The names that a parameter holds, which have commas between them."""
    return [name for name in str(rule.values.get(key, "")).split(",") if name]


class Mix:
    """What a mix rule has done so far."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._most = int(rule.values.get("most", DEFAULTS["most"]))
        only, without = (names_in(rule, key) for key in ("only", "without"))
        self._kinds = [KINDS[name] for name in only or KINDS if name not in without]
        self._all = bool(only)
        self._row: Counter[str] = Counter()
        self._had: defaultdict[str, set[str]] = defaultdict(set)

    def draw(self, asked: Asked, subject: str, number: int) -> tuple[Kind, dict[str, Value]] | None:
        """What happens to the request of this number for a subject; `None` for nothing."""
        chance = Random(f"{self._rule.seed} {subject} {number}")
        kinds = [kind for kind in self._kinds if self._fits(kind, asked) and not self._spent(kind, subject)]
        if not kinds or self._row[subject] >= self._most or chance.random() >= self._rule.share:
            self._row.pop(subject, None)
            return None
        kind = chance.choice(kinds)
        self._row[subject] += 1
        if kind.sparing:
            self._had[subject].add(kind.name)
        place: dict[str, Value] = {"after": f"{chance.randrange(100)}%"} if "after" in kind.defaults else {}
        return kind, {**kind.defaults, **place, **kind.in_mix}

    def _fits(self, kind: Kind, asked: Asked) -> bool:
        return kind.fits(asked) and (kind.mixes(asked) or self._all)

    def _spent(self, kind: Kind, subject: str) -> bool:
        return kind.sparing and kind.name in self._had.get(subject, ())
