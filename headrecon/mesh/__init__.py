"""From solved views to one head mesh, its refinement and its files."""
