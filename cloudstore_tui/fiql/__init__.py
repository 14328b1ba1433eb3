"""FIQL, the filter language of the 8x8 service, and phrases that compile to it. Pure: no I/O, no clock."""

from cloudstore_tui.fiql.checker import Problem, check, why_empty
from cloudstore_tui.fiql.evaluator import Row, evaluate, row_of
from cloudstore_tui.fiql.measures import epoch_ms, parse_time
from cloudstore_tui.fiql.parser import DEEPEST, parse
from cloudstore_tui.fiql.phrases import (
    Compiled,
    LocalTerm,
    compile_phrase,
    is_fiql,
    phrase_of,
    phrase_value,
    understand,
)
from cloudstore_tui.fiql.printer import compare, conjunction, outline, quote, unparse
from cloudstore_tui.fiql.reading import explain
from cloudstore_tui.fiql.tree import And, Comparison, Node, Or, comparisons, rewrite

__all__ = [
    "DEEPEST",
    "And",
    "Comparison",
    "Compiled",
    "LocalTerm",
    "Node",
    "Or",
    "Problem",
    "Row",
    "check",
    "compare",
    "comparisons",
    "compile_phrase",
    "conjunction",
    "epoch_ms",
    "evaluate",
    "explain",
    "is_fiql",
    "outline",
    "parse",
    "parse_time",
    "phrase_of",
    "phrase_value",
    "quote",
    "rewrite",
    "row_of",
    "understand",
    "unparse",
    "why_empty",
]
