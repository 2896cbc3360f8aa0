"""Speaks HTTP: a handler is parse, operate, answer. Each module ends in its `routes`."""
