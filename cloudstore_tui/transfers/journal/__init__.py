"""What is to be transferred and how far it is, in a file that outlives the program."""
