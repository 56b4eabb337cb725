"""The administrator's desk: people, teams, tags, tokens, the audit log, jobs, mail, the system's health."""
