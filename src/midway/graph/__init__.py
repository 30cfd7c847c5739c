"""Stages, plans and the runner: what depends on what, what is missing, how to compute it."""
