"""FIQL, the filter language of the 8x8 service, and phrases that compile to it. Pure: no I/O, no clock."""

from cloudstore_tui.fiql.checker import Problem, check, why_empty
from cloudstore_tui.fiql.evaluator import Row, evaluate, row_of
from cloudstore_tui.fiql.measures import epoch_ms, parse_time
from cloudstore_tui.fiql.parser import DEEPEST, parse
from cloudstore_tui.fiql.phrases import (
    Compiled,
    LocalTerm,
    as_phrase,
    compile_phrase,
    is_fiql,
    phrase_of,
    phrase_value,
    understand,
    with_condition,
)
from cloudstore_tui.fiql.printer import compare, conjunction, outline, quote, unparse
from cloudstore_tui.fiql.reading import brief, explain
from cloudstore_tui.fiql.tree import And, Comparison, Node, Or, comparisons, names_type, rewrite, types_within

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
    "as_phrase",
    "brief",
    "check",
    "compare",
    "comparisons",
    "compile_phrase",
    "conjunction",
    "epoch_ms",
    "evaluate",
    "explain",
    "is_fiql",
    "names_type",
    "outline",
    "parse",
    "parse_time",
    "phrase_of",
    "phrase_value",
    "quote",
    "rewrite",
    "row_of",
    "types_within",
    "understand",
    "unparse",
    "why_empty",
    "with_condition",
]
