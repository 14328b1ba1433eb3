"""Bytes between a service and this machine: queue, download, upload, verification, local names."""
