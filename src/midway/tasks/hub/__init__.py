"""The hub: data sets as Parquet, pinned to a commit, and how their rows become examples."""
