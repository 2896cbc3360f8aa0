"""Life on a LAN: this machine's addresses and name, and a certificate for them."""
