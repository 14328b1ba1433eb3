"""What is wrong, and the cure: everything that `doctor` looks at, one after the other."""
