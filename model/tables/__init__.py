"""Result tables: their columns, how they are written, how they are read."""
