"""Measurements against other software; not installed."""

import os

# As `midway run` sets it, before torch is loaded; both sides of every comparison have it.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
