"""What the process suites (e2e, chaos) have in common: real programs, started and stopped; nothing of Davit is imported."""
