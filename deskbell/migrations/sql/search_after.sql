-- Functions and triggers that keep the search documents. Runs after the search's tables are made.

-- What follows from a ticket's status, whichever way the change came. Its texts are no longer its own affair.
create or replace function deskbell_ticket_before_insert() returns trigger
language plpgsql as $$
begin
  if new.status in ('resolved', 'closed') then
    new.resolved_at := coalesce(new.resolved_at, clock_timestamp());
  else
    new.resolved_at := null;
  end if;
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
  return new;
end
$$;
drop function if exists deskbell_ticket_search_vector(text, text);

-- Whether this transaction builds its documents by itself, all at once, in the end: bulk loads do.
create function deskbell_indexes_later() returns boolean
language sql stable parallel safe
return coalesce(current_setting('deskbell.search', true), '') = 'later';

-- Remember the words that no document had before, for typing errors to be corrected by. Numbers and codes are left out. Two
-- at once may both add a word: a unique index would make the one wait for the other, or end both.
create function deskbell_learn_words(vectors tsvector[]) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  insert into search_words (word)
  select distinct w.word
    from unnest(vectors) v (vector), unnest(tsvector_to_array(v.vector)) w (word)
   where w.word ~ '^[[:alpha:]]{3,30}$' and not exists (select from search_words k where k.word = w.word);
end
$$;

-- The same for the documents of these tickets, faster for many: `ts_stat` is one pass in C, while every word of an array
-- becomes a row. The subquery looks each word up by the index, however many the planner expects.
create function deskbell_learn_words_of(ids bigint[]) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  insert into search_words (word)
  select w.word
    from ts_stat(format('select coalesce(staff_vector, public_vector) from search_documents where ticket_id = any (%L)', ids)) w
   where w.word ~ '^[[:alpha:]]{3,30}$' and (select k.id from search_words k where k.word = w.word limit 1) is null;
end
$$;

-- Count in how many of the newest documents each word stands; return how many words have another weight now. What was a
-- typing error stands in few, and what was meant in many.
create function deskbell_weigh_words(sample integer) returns integer
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  changed integer;
begin
  update search_words k set weight = coalesce(f.ndoc, 0)
    from search_words o
    left join ts_stat(format('select coalesce(staff_vector, public_vector) from search_documents order by ticket_id desc limit %s',
                             sample)) f on f.word = o.word
   where k.id = o.id and k.weight <> coalesce(f.ndoc, 0);
  get diagnostics changed = row_count;
  return changed;
end
$$;

-- Build the documents of these tickets from the tables; return how many. No nested loops, as in the audit triggers: the plan
-- that is kept for one ticket must do for ten thousand.
create function deskbell_index_tickets(ids bigint[]) returns integer
language plpgsql volatile security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  done integer;
begin
  with said as (
    select c.ticket_id, count(*) as all_of_them, count(*) filter (where not c.is_internal) as in_public,
           deskbell_join(c.vector order by c.id) filter (where not c.is_internal) as heard,
           deskbell_join(c.vector order by c.id) filter (where c.is_internal) as noted
      from (select id, ticket_id, is_internal,
                   setweight(deskbell_vector(content), case when is_internal then 'D'::"char" else 'C' end) as vector
              from comments where ticket_id = any (ids)) c
     group by c.ticket_id
  ), sent as (
    select a.ticket_id, count(*) as all_of_them, count(*) filter (where not a.is_internal) as in_public,
           deskbell_join(a.vector order by a.id) filter (where not a.is_internal) as shown,
           deskbell_join(a.vector order by a.id) filter (where a.is_internal) as kept
      from (select f.id, f.ticket_id, coalesce(c.is_internal, false) as is_internal,
                   setweight(deskbell_vector(f.file_name), 'C') as vector
              from attachments f left join comments c on c.id = f.comment_id and c.ticket_id = any (ids)
             where f.ticket_id = any (ids)) a
     group by a.ticket_id
  ), built as materialized (
    select t.id, deskbell_joined(deskbell_joined(
             deskbell_ticket_vector(t.title, t.ticket_number, t.description), said.heard), sent.shown) as in_public,
           deskbell_joined(said.noted, sent.kept) as internal,
           coalesce(said.all_of_them, 0) as comment_count, coalesce(said.in_public, 0) as public_comment_count,
           coalesce(sent.all_of_them, 0) as attachment_count, coalesce(sent.in_public, 0) as public_attachment_count
      from tickets t left join said on said.ticket_id = t.id left join sent on sent.ticket_id = t.id
     where t.id = any (ids)
  )
  insert into search_documents as d (ticket_id, public_vector, staff_vector, comment_count, public_comment_count,
                                     attachment_count, public_attachment_count)
  select b.id, b.in_public, case when b.internal <> '' then deskbell_joined(b.in_public, b.internal) end,
         b.comment_count, b.public_comment_count, b.attachment_count, b.public_attachment_count
    from built b order by b.id
  on conflict (ticket_id) do update
     set public_vector = excluded.public_vector, staff_vector = excluded.staff_vector,
         comment_count = excluded.comment_count, public_comment_count = excluded.public_comment_count,
         attachment_count = excluded.attachment_count, public_attachment_count = excluded.public_attachment_count;
  get diagnostics done = row_count;
  perform deskbell_learn_words_of(ids);
  return done;
end
$$;

create function deskbell_search_ticket_insert() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  vectors tsvector[];
begin
  if deskbell_indexes_later() then return null; end if;
  with written as (
    insert into search_documents as d (ticket_id, public_vector)
    select n.id, deskbell_ticket_vector(n.title, n.ticket_number, n.description) from new_rows n
    returning d.public_vector
  )
  select array_agg(public_vector) from written into vectors;
  perform deskbell_learn_words(vectors);
  return null;
end
$$;

-- Add what was said to the documents, without reading the threads again.
create function deskbell_search_comment_insert() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  vectors tsvector[];
begin
  if deskbell_indexes_later() then return null; end if;
  with said as (
    select n.ticket_id, count(*) as all_of_them, count(*) filter (where not n.is_internal) as in_public,
           deskbell_join(n.vector order by n.id) as vector,
           deskbell_join(n.vector order by n.id) filter (where not n.is_internal) as heard
      from (select id, ticket_id, is_internal,
                   setweight(deskbell_vector(content), case when is_internal then 'D'::"char" else 'C' end) as vector
              from new_rows) n
     group by n.ticket_id
  ), written as (
    update search_documents d
       set public_vector = deskbell_joined(d.public_vector, s.heard),
           staff_vector = case when d.staff_vector is not null or s.all_of_them > s.in_public
                               then deskbell_joined(coalesce(d.staff_vector, d.public_vector), s.vector) end,
           comment_count = d.comment_count + s.all_of_them,
           public_comment_count = d.public_comment_count + s.in_public
      from said s where d.ticket_id = s.ticket_id
    returning s.vector
  )
  select array_agg(vector) from written into vectors;
  perform deskbell_learn_words(vectors);
  return null;
end
$$;

create function deskbell_search_attachment_insert() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if deskbell_indexes_later() then return null; end if;
  with sent as (
    select n.ticket_id, count(*) as all_of_them, count(*) filter (where not n.is_internal) as in_public,
           deskbell_join(n.vector order by n.id) as vector,
           deskbell_join(n.vector order by n.id) filter (where not n.is_internal) as shown
      from (select f.id, f.ticket_id, coalesce(c.is_internal, false) as is_internal,
                   setweight(deskbell_vector(f.file_name), 'C') as vector
              from new_rows f left join comments c on c.id = f.comment_id) n
     group by n.ticket_id
  )
  update search_documents d
     set public_vector = deskbell_joined(d.public_vector, s.shown),
         staff_vector = case when d.staff_vector is not null or s.all_of_them > s.in_public
                             then deskbell_joined(coalesce(d.staff_vector, d.public_vector), s.vector) end,
         attachment_count = d.attachment_count + s.all_of_them,
         public_attachment_count = d.public_attachment_count + s.in_public
    from sent s where d.ticket_id = s.ticket_id;
  return null;
end
$$;

-- What is rare: texts that change, rows that go. The ticket's document is made anew.
create function deskbell_search_again() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if tg_table_name = 'tickets' then
    perform deskbell_index_tickets(array[new.id]);
  elsif tg_op = 'DELETE' then
    perform deskbell_index_tickets(array[old.ticket_id]);
  else
    perform deskbell_index_tickets(array[new.ticket_id]);
  end if;
  return null;
end
$$;

create trigger search_insert after insert on tickets referencing new table as new_rows
  for each statement execute function deskbell_search_ticket_insert();
create trigger search_update after update of title, description, ticket_number on tickets for each row
  when ((old.title, old.description, old.ticket_number) is distinct from (new.title, new.description, new.ticket_number))
  execute function deskbell_search_again();
create trigger search_insert after insert on comments referencing new table as new_rows
  for each statement execute function deskbell_search_comment_insert();
create trigger search_update after update of content, is_internal on comments for each row
  when ((old.content, old.is_internal) is distinct from (new.content, new.is_internal))
  execute function deskbell_search_again();
create trigger search_delete after delete on comments for each row execute function deskbell_search_again();
create trigger search_insert after insert on attachments referencing new table as new_rows
  for each statement execute function deskbell_search_attachment_insert();
create trigger search_update after update of file_name, comment_id on attachments for each row
  execute function deskbell_search_again();
create trigger search_delete after delete on attachments for each row execute function deskbell_search_again();

create trigger keep_updated_at before update on saved_views for each row execute function deskbell_touch();

-- The stemmer of the documents, and another one for those to come: build all of them again afterwards.
create function deskbell_search_language() returns text
language sql stable security definer set search_path = public, pg_temp
as $$
  select regexp_replace(d.dictname, '_stem$', '')
    from pg_ts_config c join pg_ts_config_map m on m.mapcfg = c.oid join pg_ts_dict d on d.oid = m.mapdict
   where c.oid = 'public.deskbell'::regconfig and m.maptokentype = 1
   order by m.mapseqno desc limit 1
$$;

create function deskbell_set_search_language(language text) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  dictionary text := case language when 'simple' then 'simple' else language || '_stem' end;
begin
  if not exists (select from pg_ts_dict where dictname = dictionary and dictnamespace = 'pg_catalog'::regnamespace) then
    raise exception 'there is no dictionary for this language' using errcode = 'undefined_object';
  end if;
  execute format('alter text search configuration deskbell alter mapping for asciiword, asciihword, hword_asciipart
                  with pg_catalog.%I', dictionary);
  execute format('alter text search configuration deskbell alter mapping for word, hword, hword_part
                  with public.unaccent, pg_catalog.%I', dictionary);
  delete from search_words;
end
$$;

revoke all on function deskbell_learn_words(tsvector[]), deskbell_learn_words_of(bigint[]),
  deskbell_weigh_words(integer), deskbell_index_tickets(bigint[]), deskbell_search_language(), deskbell_set_search_language(text),
  deskbell_search_ticket_insert(), deskbell_search_comment_insert(),
  deskbell_search_attachment_insert(), deskbell_search_again() from public;
grant execute on function deskbell_index_tickets(bigint[]), deskbell_search_language()
  to deskbell_agent, deskbell_admin, deskbell_system;
grant execute on function deskbell_set_search_language(text), deskbell_weigh_words(integer) to deskbell_admin, deskbell_system;
