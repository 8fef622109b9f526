"""Heads with known truth, photographed like internet photos."""
