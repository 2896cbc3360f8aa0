"""Backups: one archive holds an installation, is made beside the server and restored elsewhere."""
