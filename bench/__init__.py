"""What Taskroom costs: `python -m bench [name …]`."""
