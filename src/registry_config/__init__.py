"""Declare container registries once; run any OCI tool with the credentials, leave none behind."""
