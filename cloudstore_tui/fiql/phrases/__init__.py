"""Phrases: filters as people say them, such as `agent:"Khang Glynn" since:yesterday dur:>90s`."""

from cloudstore_tui.fiql.phrases.compiler import Compiled, compile_phrase, is_fiql, phrase_of, phrase_value, understand
from cloudstore_tui.fiql.phrases.terms import LocalTerm, Pattern

__all__ = ["Compiled", "LocalTerm", "Pattern", "compile_phrase", "is_fiql", "phrase_of", "phrase_value", "understand"]
