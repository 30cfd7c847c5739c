"""Side-by-side timings; each module is one command."""
