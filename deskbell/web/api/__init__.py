"""The HTTP API, version 1: one module for each slice, all of them thin."""
