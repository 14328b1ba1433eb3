"""Configuration: profiles, settings, keys, themes, secrets, and where the files live."""
