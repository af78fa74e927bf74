"""GitHub's description of its API, against the provider client."""
