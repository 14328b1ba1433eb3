"""The command line as it is typed: arguments, options and help; what a command does is imported once it runs."""
