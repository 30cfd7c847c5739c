"""Engines execute stages; they know where, and nothing about what depends on what."""
