"""What a team does. Each operation is one plain function: access, check, write, emit, return.

It runs in the store's writer thread, in a transaction, and knows neither a request nor a socket.
What it returns is JSON as the house speaks it: files as `/media/…`, made absolute for each reader.
"""
