"""What is in an object, from a few of its bytes: bytes and facts in, something to show out. Sends and draws nothing."""
