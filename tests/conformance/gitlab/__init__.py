"""GitLab's API, against the provider client."""
