-- Everything of the search and the saved views, and the words of a ticket in its own row again.

drop table saved_views, search_documents, search_words;
drop trigger search_insert on tickets;
drop trigger search_update on tickets;
drop trigger search_insert on comments;
drop trigger search_update on comments;
drop trigger search_delete on comments;
drop trigger search_insert on attachments;
drop trigger search_update on attachments;
drop trigger search_delete on attachments;
drop function deskbell_search_ticket_insert();
drop function deskbell_search_comment_insert();
drop function deskbell_search_attachment_insert();
drop function deskbell_search_again();
drop function deskbell_index_tickets(bigint[]);
drop function deskbell_weigh_words(integer);
drop function deskbell_learn_words(tsvector[]);
drop function deskbell_learn_words_of(bigint[]);
drop function deskbell_indexes_later();
drop function deskbell_set_search_language(text);
drop function deskbell_search_language();
drop function deskbell_ticket_vector(text, text, text);
drop aggregate deskbell_join(tsvector);
drop function deskbell_joined(tsvector, tsvector);
drop function deskbell_vector(text);
drop function deskbell_words(text);
drop function deskbell_priority_rank(text);
drop function deskbell_audit_saved_views_insert();
drop function deskbell_audit_saved_views_update();
drop function deskbell_audit_saved_views_delete();
drop text search configuration deskbell;

-- What a ticket is found by. A tsvector holds at most 1 MB and a mail may be far longer: as much of it as fits.
create or replace function deskbell_ticket_search_vector(title text, description text) returns tsvector
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
create or replace function deskbell_ticket_before_insert() returns trigger
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

create or replace function deskbell_ticket_before_update() returns trigger
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

alter table tickets add column search_vector tsvector;
alter table tickets disable trigger user;
update tickets set search_vector = deskbell_ticket_search_vector(title, description);
alter table tickets enable trigger user;
alter table tickets alter column search_vector set not null;
create index ix_tickets_search_vector on tickets using gin (search_vector);

create or replace function deskbell_audit_tickets_delete() returns trigger
language plpgsql security definer
set search_path = public, pg_temp
set enable_nestloop = off
as $$
declare
  operation bigint := nullif(current_setting('deskbell.operation', true), '')::bigint;
begin
  if operation is null then
    if not exists (select from old_rows) then return null; end if;
    operation := deskbell_begin_operation();
  end if;
  insert into audit_logs (operation_id, user_id, channel, cause, table_name, record_id, action, changes)
  select operation, deskbell_actor(), deskbell_channel(), deskbell_cause(), 'tickets', o.id, 'DELETE',
    jsonb_build_object('id', o.id, 'ticket_number', o.ticket_number, 'title', o.title, 'description', o.description, 'description_format', o.description_format, 'description_html', o.description_html, 'description_folded', o.description_folded, 'status', o.status, 'priority', o.priority, 'channel', o.channel, 'creator_id', o.creator_id, 'assignee_id', o.assignee_id, 'organization_id', o.organization_id, 'team_id', o.team_id, 'version', o.version, 'reopen_count', o.reopen_count, 'due_at', o.due_at, 'first_responded_at', o.first_responded_at, 'resolved_at', o.resolved_at, 'deleted_at', o.deleted_at, 'created_at', o.created_at, 'updated_at', o.updated_at, 'search_vector', o.search_vector)
    from old_rows o;
  return null;
end
$$;
