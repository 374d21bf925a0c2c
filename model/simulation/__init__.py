"""The Mesa model: a place that lives month by month."""
