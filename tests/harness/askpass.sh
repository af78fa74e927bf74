#!/bin/sh
# Answers git's question for the password of the test server.
printf '%s\n' "$HARNESS_GIT_TOKEN"
