"""Portraits to views: who is seen from where, and on one canvas."""
