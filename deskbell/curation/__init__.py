"""Work on many tickets at once: import, export, bulk changes, duplicates, retention."""
