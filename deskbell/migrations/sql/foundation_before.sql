-- What tables and policies of the foundation call. Runs before the tables are made.

create sequence ticket_number_seq start with 1001;

create function deskbell_next_ticket_number() returns text
language sql volatile
return coalesce(nullif(current_setting('deskbell.ticket_prefix', true), ''), 'DB-') || nextval('ticket_number_seq');

-- The actor that `Actor.statement()` set, or null.
create function deskbell_actor() returns bigint
language sql stable parallel safe
return nullif(current_setting('deskbell.actor', true), '')::bigint;

create function deskbell_channel() returns text
language sql stable parallel safe
return coalesce(nullif(current_setting('deskbell.channel', true), ''), 'sql');

create function deskbell_cause() returns text
language sql stable parallel safe
return coalesce(current_setting('deskbell.cause', true), '');

create function deskbell_refuse_truncate() returns trigger
language plpgsql as $$
begin
  raise exception 'TRUNCATE would leave no trace in the audit log; use DELETE' using errcode = 'insufficient_privilege';
end
$$;

create function deskbell_refuse_new_key() returns trigger
language plpgsql as $$
begin
  raise exception 'the key of a record in % never changes: the audit log knows the record by it', tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;

-- Keeps `updated_at`, whichever way the change came.
create function deskbell_touch() returns trigger
language plpgsql as $$
begin
  new.updated_at := clock_timestamp();
  return new;
end
$$;

-- What a ticket is found by. A tsvector holds at most 1 MB and a mail may be far longer: as much of it as fits.
create function deskbell_ticket_search_vector(title text, description text) returns tsvector
language plpgsql immutable parallel safe as $$
declare
  room integer := 200000;
begin
  if length(description) <= 50000 then
    return to_tsvector('pg_catalog.english', title || ' ' || description);
  end if;
  loop
    begin
      return to_tsvector('pg_catalog.english', title || ' ' || left(description, room));
    exception when program_limit_exceeded then
      room := room / 2;
    end;
  end loop;
end
$$;

-- Keeps what follows from a ticket's status and texts, whichever way the change came.
create function deskbell_ticket_before_insert() returns trigger
language plpgsql as $$
begin
  if new.status in ('resolved', 'closed') then
    new.resolved_at := coalesce(new.resolved_at, clock_timestamp());
  else
    new.resolved_at := null;
  end if;
  new.search_vector := deskbell_ticket_search_vector(new.title, new.description);
  return new;
end
$$;

create function deskbell_ticket_before_update() returns trigger
language plpgsql as $$
begin
  new.updated_at := clock_timestamp();
  new.version := old.version + 1;
  if new.status is distinct from old.status then
    if new.status in ('resolved', 'closed') then
      new.resolved_at := coalesce(old.resolved_at, clock_timestamp());
    elsif old.resolved_at is not null then
      new.resolved_at := null;
      new.reopen_count := old.reopen_count + 1;
    end if;
  end if;
  if new.title is distinct from old.title or new.description is distinct from old.description then
    new.search_vector := deskbell_ticket_search_vector(new.title, new.description);
  end if;
  return new;
end
$$;
