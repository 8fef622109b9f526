"""Uncalibrated photometric stereo: from a stack of photos to surface normals."""
