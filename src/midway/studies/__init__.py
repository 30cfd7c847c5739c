"""Studies: from a TOML file to a plan."""
