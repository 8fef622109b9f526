"""The only place that rasterizes; converts camera frames at its door."""
