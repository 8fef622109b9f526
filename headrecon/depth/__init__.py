"""From the normals of a view to its depth, joined to the views that are already solved."""
