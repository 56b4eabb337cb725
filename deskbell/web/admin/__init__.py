"""The administrator's desk, at /admin: pages over functions that the API and the command line have as well."""
