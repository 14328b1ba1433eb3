"""FIQL, the filter language of the 8x8 service, and phrases that compile to it. Pure: no I/O, no clock."""
