"""What is wrong, and what to do: everything that `doctor` looks at, one after the other."""
