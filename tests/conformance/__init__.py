"""Independent programs against Davit."""
