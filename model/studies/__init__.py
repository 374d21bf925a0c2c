"""Studies that run the model: calibration, patterns, money."""
