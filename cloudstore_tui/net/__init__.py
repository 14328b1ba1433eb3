"""Everything on the wire below the services: JSON calls, logins, bytes, retries, limits, and what refusals mean.

Knows no service. Nothing heavy is imported before the first request.
"""
