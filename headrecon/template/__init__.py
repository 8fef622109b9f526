"""A head of a different individual, and the linear space of heads that it is the middle of."""
