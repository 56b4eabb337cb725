"""How the schema came to be: Alembic's environment, the dated versions, and the SQL they run.

Versions import no models: they must go on meaning what they meant when they were written.
"""
