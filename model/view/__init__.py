"""The classroom view: a small town on a page, to step, to change and to ask why."""
