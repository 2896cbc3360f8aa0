"""What an administrator types beside a running server: backups, and what a doctor would ask."""
