"""Questions answered by new runs: calibration, patterns, money."""
