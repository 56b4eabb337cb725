"""The record of every change: operations, the audit log, the triggers that write it, and what reads it."""
