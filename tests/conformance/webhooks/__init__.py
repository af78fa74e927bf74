"""Webhooks as GitHub's and Standard Webhooks' own packages make them."""
