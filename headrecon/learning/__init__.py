"""Training of networks on made-up people."""
