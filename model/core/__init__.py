"""What everything stands on: draws, rates, kernels, codes, money, files, errors."""
