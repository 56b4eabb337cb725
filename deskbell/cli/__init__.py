"""The command line: one module for each group of commands, thin above the use cases; `app` is the entry point."""
