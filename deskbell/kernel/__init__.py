"""What every slice stands on and what knows nothing of support: settings, database, errors, events, jobs, storage."""
