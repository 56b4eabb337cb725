"""The project's own lint rules: each is one file in `rules/` whose docstring tells the accident it prevents.

`python -m tools.lint` checks the tree. A line is exempt with `# allow: rule-name (reason)`; the reason is required.
"""
