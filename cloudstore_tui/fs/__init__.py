"""What this machine's disks do for the program: files, folders, names, locks, and errors that say what is wrong."""
