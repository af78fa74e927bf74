"""The product as a user sees it, on one davit-standalone with its real engines. See tests/README.md."""
