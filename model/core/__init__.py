"""Foundations: draws, rates, kernels, codes, money, files, errors."""
