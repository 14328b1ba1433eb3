"""FIQL, the filter language of the 8x8 service: parse, print, build and check filters. Pure: no I/O, no clock."""

from cloudstore_tui.fiql.checker import Problem, check
from cloudstore_tui.fiql.parser import DEEPEST, parse
from cloudstore_tui.fiql.printer import compare, conjunction, quote, unparse
from cloudstore_tui.fiql.times import epoch_ms, parse_time
from cloudstore_tui.fiql.tree import And, Comparison, Node, Or, comparisons, rewrite

__all__ = [
    "DEEPEST",
    "And",
    "Comparison",
    "Node",
    "Or",
    "Problem",
    "check",
    "compare",
    "comparisons",
    "conjunction",
    "epoch_ms",
    "parse",
    "parse_time",
    "quote",
    "rewrite",
    "unparse",
]
