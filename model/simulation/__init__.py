"""The Mesa model: a place simulated month by month."""
