"""A local server of both services, to try things and to test against. Shares no code with the providers."""
