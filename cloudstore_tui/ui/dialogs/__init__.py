"""Questions: modal screens that answer with a value, also on Escape."""
