"""Scenarios and replicates as one campaign, and where its runs happen."""
