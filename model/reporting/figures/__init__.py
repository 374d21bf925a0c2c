"""Figures, each from result tables."""
