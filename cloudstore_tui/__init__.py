"""A terminal browser and command line for two cloud storage services."""

__version__ = "0.1.0"
