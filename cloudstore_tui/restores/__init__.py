"""Objects asked back from cold storage: a list that outlives the program, and whoever looks after it."""
