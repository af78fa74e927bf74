#!/bin/sh
# Answers git's question for a password with the token in the file DAVIT_GIT_TOKEN_FILE.
head -n 1 "$DAVIT_GIT_TOKEN_FILE"
