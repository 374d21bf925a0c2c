"""The policy room: a page where a place tests its budget while people look."""
