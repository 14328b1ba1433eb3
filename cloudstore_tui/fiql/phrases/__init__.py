"""Phrases: filters as people say them, such as `agent:"Khang Glynn" since:yesterday dur:>90s`."""

from cloudstore_tui.fiql.phrases.compiler import Compiled, compile_phrase, is_fiql, understand
from cloudstore_tui.fiql.phrases.local import LocalTerm, Pattern
from cloudstore_tui.fiql.phrases.quoting import phrase_of, phrase_value

__all__ = ["Compiled", "LocalTerm", "Pattern", "compile_phrase", "is_fiql", "phrase_of", "phrase_value", "understand"]
