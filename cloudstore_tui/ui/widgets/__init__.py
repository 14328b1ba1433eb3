"""Parts of screens with a state of their own."""
