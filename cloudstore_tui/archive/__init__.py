"""A whole query in a folder, and what proves that it is there. Where the disk refuses, it is a `StorageError`."""
