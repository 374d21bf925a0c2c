"""The report: one page of HTML to take away, a brief of two sides first."""
