"""8x8 Cloud Storage Service, REST v3."""
