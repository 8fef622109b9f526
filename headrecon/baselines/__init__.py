"""What a result has to be better than."""
