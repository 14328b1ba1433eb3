"""The nouns of the program and the contract every provider keeps. Imports nothing of ours."""
