"""Optical flow within a view: from aligned photos to photos of one common shape."""
