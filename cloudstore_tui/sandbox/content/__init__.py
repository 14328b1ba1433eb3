"""What is in the files of the sandbox: real, playable, readable, and the same for the same seed. Knows no service."""
