"""Davit's own image, built by Davit."""
