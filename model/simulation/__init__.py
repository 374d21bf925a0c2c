"""A place simulated month by month, and the same as a Mesa model."""
