"""The objects of one call: what joins them, in which order they are shown, and what their files are called. Pure."""
