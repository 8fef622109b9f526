"""Mathematics that does not know what a head is."""
