"""Studies that run the model: calibration, patterns, money, replications of published studies."""
