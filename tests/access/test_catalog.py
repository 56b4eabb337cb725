"""What the catalog must say of every table, function, view and role, so that a new one cannot be forgotten."""
# ruff: noqa: S608 - the names in the statements are constants of this file

from tests.access.world import World

WITHOUT_ROW_SECURITY = {
    "alembic_version": "names the schema's revision; no role but the owner holds any privilege on it",
}
FOR_EVERYBODY = {
    "deskbell_organization": "policies call it as the actor; it tells them their own organization alone",
    "deskbell_shared_organization": "the same, where the organization shares its tickets",
}
RUNS_AS_ITS_OWNER = {
    "people": "a customer may read the name of an agent who answered, but has no row policy on that agent",
}
OURS = "n.nspname in ('public', 'jobs') and not exists (select from pg_depend d where d.objid = {} and d.deptype = 'e')"


def test_row_security_is_enabled_and_forced_on_every_table(world: World) -> None:
    """Trap 14: unless it is forced, the owner's functions see everything."""
    found = world.rows(
        "superuser",
        "select c.relname, c.relrowsecurity, c.relforcerowsecurity from pg_class c"
        " join pg_namespace n on n.oid = c.relnamespace"
        f" where c.relkind in ('r', 'p') and n.nspname = 'public' and {OURS.format('c.oid')}",
    )
    assert len(found) > len(WITHOUT_ROW_SECURITY)
    assert {name for name, enabled, forced in found if not (enabled and forced)} == set(WITHOUT_ROW_SECURITY)


def test_every_function_with_its_owners_rights_has_a_fixed_search_path(world: World) -> None:
    """Otherwise a caller puts a function or table of theirs in front, and it runs with the owner's rights."""
    found = world.rows(
        "superuser",
        "select p.proname, array_to_string(p.proconfig, ';') from pg_proc p"
        f" join pg_namespace n on n.oid = p.pronamespace where p.prosecdef and {OURS.format('p.oid')}",
    )
    assert len(found) > len(FOR_EVERYBODY)
    assert [name for name, config in found if ", pg_temp" not in (config or "").partition("search_path=")[2]] == []


def test_functions_with_their_owners_rights_are_not_for_everybody(world: World) -> None:
    found = world.rows(
        "superuser",
        "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        f" where p.prosecdef and has_function_privilege('public', p.oid, 'execute') and {OURS.format('p.oid')}",
    )
    assert {name for (name,) in found} == set(FOR_EVERYBODY)


def test_views_run_as_who_asks_unless_there_is_a_reason(world: World) -> None:
    """Trap 14: a view runs as its owner, and its owner's policies let everything through."""
    found = world.rows(
        "superuser",
        "select c.relname, coalesce(array_to_string(c.reloptions, ';'), '') from pg_class c"
        f" join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm') and {OURS.format('c.oid')}",
    )
    options = dict(found)
    assert {name for name, option in found if "security_invoker=true" not in option} == set(RUNS_AS_ITS_OWNER)
    assert [name for name in RUNS_AS_ITS_OWNER if "security_barrier=true" not in options[name]] == []


def test_everything_belongs_to_the_owner(world: World) -> None:
    found = world.rows(
        "superuser",
        "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where c.relkind in ('r', 'p', 'v', 'm', 'S') and c.relowner <> 'deskbell_owner'::regrole"
        f" and {OURS.format('c.oid')}"
        " union all select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        f" where p.proowner <> 'deskbell_owner'::regrole and {OURS.format('p.oid')}",
    )
    assert found == []


def test_roles_can_do_no_more_than_they_need(world: World) -> None:
    found = world.rows(
        "superuser",
        "select rolname, rolcanlogin from pg_roles where rolname like 'deskbell%' and not (rolsuper or rolbypassrls"
        " or rolcreaterole or rolcreatedb or rolreplication or (rolinherit and not (rolname = 'deskbell_owner'"
        " and current_setting('server_version_num')::int < 160000))) order by rolname",
    )
    assert found == [
        ("deskbell_admin", False),
        ("deskbell_agent", False),
        ("deskbell_app", True),
        ("deskbell_customer", False),
        ("deskbell_owner", False),
        ("deskbell_readonly", True),
        ("deskbell_system", False),
    ]


def test_the_application_is_a_member_of_the_four_actors_alone(world: World) -> None:
    found = world.rows(
        "superuser",
        "select m.roleid::regrole::text, m.admin_option from pg_auth_members m"
        " where m.member::regrole::text in ('deskbell_app', 'deskbell_readonly', 'deskbell_owner', 'deskbell_customer',"
        " 'deskbell_agent', 'deskbell_admin', 'deskbell_system') order by 1",
    )
    actors = [(f"deskbell_{kind}", False) for kind in ("admin", "agent", "customer", "system")]
    assert found == [*actors, ("pg_read_all_stats", False)]  # the owner's, for the functions that administrators call


MAILBOX_SECRETS = "oauth_secret oauth_refresh imap_password smtp_password dkim_key"
OUTBOX = (
    "kind state reason ticket_id comment_id recipient subject text html message_id in_reply_to thread reply_to"
    " attempts interrupted created_at next_attempt_at sent_at copy_id mailbox_id copies handed_at"
)
"""Customers know of a message to them that it is there."""


def test_columns_that_only_some_may_read_are_these(world: World) -> None:
    found = world.rows(
        "superuser",
        "select r.rolname, c.relname, string_agg(a.attname, ' ' order by a.attnum)"
        "  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped,"
        "       unnest(array['customer', 'agent', 'admin', 'system', 'readonly']) kind,"
        "       lateral (select ('deskbell_' || kind)::name as rolname) r"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')"
        "   and has_any_column_privilege(r.rolname, c.oid, 'select')"
        "   and not has_column_privilege(r.rolname, c.oid, a.attnum, 'select') group by 1, 2 order by 2, 1",
    )
    assert found == [
        *((f"deskbell_{kind}", "api_tokens", "token_hash") for kind in ("admin", "agent", "customer", "readonly")),
        ("deskbell_system", "draft_files", "id draft_id file_name media_type size sha256 created_at"),
        ("deskbell_system", "drafts", "content is_internal status revision problem created_at saved_at"),
        ("deskbell_readonly", "inbound_messages", "raw"),
        *((f"deskbell_{kind}", "login_sessions", "token_hash") for kind in ("admin", "agent", "customer")),
        *((f"deskbell_{kind}", "mailboxes", MAILBOX_SECRETS) for kind in ("admin", "agent", "readonly")),
        *((f"deskbell_{kind}", "outbound_messages", "text html") for kind in ("admin", "agent")),
        ("deskbell_customer", "outbound_messages", OUTBOX),
        ("deskbell_readonly", "outbound_messages", "text html"),
        ("deskbell_customer", "search_documents", "staff_vector comment_count attachment_count"),
        *((f"deskbell_{kind}", "users", "password_hash") for kind in ("admin", "agent", "customer", "readonly")),
    ]


def test_columns_that_an_actor_may_change_where_not_all_are_these(world: World) -> None:
    found = world.rows(
        "superuser",
        "select kind, c.relname, string_agg(a.attname, ' ' order by a.attnum)"
        "  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped,"
        "       unnest(array['customer', 'agent', 'admin', 'system', 'readonly']) kind"
        " where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')"
        "   and has_column_privilege('deskbell_' || kind, c.oid, a.attnum, 'update')"
        "   and not has_table_privilege('deskbell_' || kind, c.oid, 'update') group by 1, 2 order by 2, 1",
    )
    filed = (
        "state reason message_id sender subject sent_at defects ticket_id comment_id filed_at mailbox_id fingerprint"
        " bounced_id"
    )
    decided = "state reason released_by_id"
    assert found == [
        *((kind, "api_tokens", "name revoked_at") for kind in ("admin", "agent", "customer")),
        ("admin", "inbound_messages", decided),
        ("agent", "inbound_messages", decided),
        ("system", "inbound_messages", filed),
        ("customer", "tickets", "status"),
        ("agent", "users", "email full_name organization_id locale time_zone"),
        ("customer", "users", "full_name locale time_zone"),
    ]
