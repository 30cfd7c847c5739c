"""Readers: the bytes of a benchmark's files → examples, or a DataError naming file and line."""
