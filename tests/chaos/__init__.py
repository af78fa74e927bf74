"""What must hold when things die. See tests/README.md."""
