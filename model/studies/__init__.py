"""Questions asked of the model by new runs: calibration, patterns, money."""
