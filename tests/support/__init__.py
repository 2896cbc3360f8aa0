"""What the tests stand on: real servers as child processes, clients, and waiting without sleeping."""
