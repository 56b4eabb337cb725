"""A database's schema as sorted lines of text, so that two of them can be compared and the difference be read."""

import psycopg

from deskbell.kernel.address import Address

_OURS = """
with ours as (
  select c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relacl, c.relowner, c.reloptions
    from pg_class c
   where c.relnamespace = 'public'::regnamespace and not c.relispartition and c.relname <> 'alembic_version'
     and c.relname not like 'pk_alembic%%' and c.relname not like 'alembic%%'
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
)
"""
_QUERIES = {
    "relation": """
select relname, relkind, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner), reloptions,
       array(select unnest(relacl)::text order by 1)
  from ours where relkind in ('r', 'p', 'v', 'S')""",
    "column": """
select relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
       pg_get_expr(adbin, adrelid), array(select unnest(attacl)::text order by 1)
  from ours join pg_attribute on attrelid = ours.oid left join pg_attrdef on adrelid = ours.oid and adnum = attnum
 where relkind in ('r', 'p', 'v') and attnum > 0 and not attisdropped""",
    "constraint": """
select relname, conname, contype, pg_get_constraintdef(pg_constraint.oid)
  from ours join pg_constraint on conrelid = ours.oid where contype <> 'n'""",
    "index": "select relname, pg_get_indexdef(oid) from ours where relkind in ('i', 'I')",
    "policy": """
select relname, polname, polcmd, polpermissive, polroles::regrole[]::text, pg_get_expr(polqual, polrelid),
       pg_get_expr(polwithcheck, polrelid)
  from ours join pg_policy on polrelid = ours.oid""",
    "trigger": """
select relname, pg_get_triggerdef(pg_trigger.oid), tgenabled
  from ours join pg_trigger on tgrelid = ours.oid where not tgisinternal""",
    "search": """
select c.cfgname, pg_get_userbyid(c.cfgowner), m.maptokentype, m.mapseqno, m.mapdict::regdictionary::text
  from pg_ts_config c join pg_ts_config_map m on m.mapcfg = c.oid where c.cfgnamespace = 'public'::regnamespace""",
    "view": "select relname, pg_get_viewdef(oid) from ours where relkind = 'v'",
    "function": """
select p.proname, pg_get_userbyid(p.proowner), array(select unnest(p.proacl)::text order by 1),
       case when p.prokind = 'a' then concat_ws(' ', g.aggtransfn, g.aggtranstype::regtype, p.proparallel)
            else pg_get_functiondef(p.oid) end
  from pg_proc p left join pg_aggregate g on g.aggfnoid = p.oid
 where p.pronamespace = 'public'::regnamespace
   and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')""",
}


def schema_of(address: Address) -> list[str]:
    """Return all of the schema `public` that is ours: relations, columns, grants, policies, triggers, functions."""
    with psycopg.connect(address.dsn) as connection:
        lines = []
        for kind, query in _QUERIES.items():
            rows = connection.execute((_OURS + query).replace("%%", "%").encode()).fetchall()
            lines += [f"{kind} {' | '.join(map(str, row))}" for row in rows]
    return sorted(lines)
