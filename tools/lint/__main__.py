"""`python -m tools.lint`, in the root of the project."""

import sys
from pathlib import Path

from tools.lint.runner import main

sys.exit(main(Path.cwd()))
