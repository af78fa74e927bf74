"""Deployment manifests against the programs and images that they speak of."""
