"""The mechanisms, one a file: columns, parameters and draws in, answers out."""
