"""Pulls: a whole result brought into a folder, resumable and reconciled, with a manifest that proves it later."""
