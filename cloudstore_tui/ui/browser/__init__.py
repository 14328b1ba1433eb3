"""The browser: places, the entries of one, and what can be done with them."""
