"""Answers in words, tables, figures and pages."""
