"""The suite of providers.py."""
