"""Training: one loop for intermediate and target stages."""
