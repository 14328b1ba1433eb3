"""Phrases: filters as people write them, such as `agent:"Khang Glynn" since:yesterday dur:>90s`."""

from cloudstore_tui.fiql.phrases.compiler import (
    Compiled,
    as_phrase,
    compile_phrase,
    is_fiql,
    phrase_of,
    phrase_value,
    understand,
    with_condition,
)
from cloudstore_tui.fiql.phrases.terms import LocalTerm, Pattern, local_words

__all__ = [
    "Compiled",
    "LocalTerm",
    "Pattern",
    "as_phrase",
    "compile_phrase",
    "is_fiql",
    "local_words",
    "phrase_of",
    "phrase_value",
    "understand",
    "with_condition",
]
