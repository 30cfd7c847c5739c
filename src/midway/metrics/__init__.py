"""Metrics: pure functions on plain lists, in two profiles.

1. ``official`` is what the XTREME evaluation script prints (with seqeval 0.0.12 for tagging).
2. ``clean`` is what we would rather believe: QA answers normalised for their own language, token
   accuracy for part-of-speech tags, strict IOB2 entities.
3. Scores are percentages, 0 to 100; values of single examples are fractions, 0 to 1.
"""
