-- Functions and triggers that keep the figures of past days. Runs after their tables are made.

insert into figure_progress default values;

-- The days of UTC before this one are over. A change to one of them is marked; the others have no figures yet. By the clock and
-- not by what is stored, because a transaction may see the tables as they were long ago, and the clock as it is.
create function deskbell_days_over() returns date
language sql volatile parallel safe
return (clock_timestamp() at time zone 'UTC')::date;

create function deskbell_utc_day(moment timestamptz) returns date
language sql immutable parallel safe
return (moment at time zone 'UTC')::date;

create function deskbell_utc_midnight(day date) returns timestamptz
language sql immutable parallel safe
return day::timestamp at time zone 'UTC';

create function deskbell_mark_inserted() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  today date := deskbell_days_over();
  midnight timestamptz := deskbell_utc_midnight(today);
begin
  if exists (select from new_rows where created_at < midnight or resolved_at < midnight) then
    insert into figure_marks (day)
    select distinct d.day
      from new_rows n, lateral (values (deskbell_utc_day(n.created_at)), (deskbell_utc_day(n.resolved_at))) d (day)
     where d.day < today;
  end if;
  return null;
end
$$;

create function deskbell_mark_deleted() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into figure_marks (day)
  select distinct d.day
    from old_rows o, lateral (values (deskbell_utc_day(o.created_at)), (deskbell_utc_day(o.resolved_at))) d (day)
   where d.day < deskbell_days_over();
  return null;
end
$$;

-- No nested loops, as in the audit triggers: the plan that is kept for one ticket must do for ten thousand.
create function deskbell_mark_updated() returns trigger
language plpgsql security definer set search_path = public, pg_temp set enable_nestloop = off as $$
declare
  today date := deskbell_days_over();
begin
  insert into figure_marks (day)
  select distinct c.day
    from (select unnest(array[deskbell_utc_day(o.created_at), deskbell_utc_day(n.created_at),
                              deskbell_utc_day(o.resolved_at), deskbell_utc_day(n.resolved_at)]) as day
            from old_rows o join new_rows n on n.id = o.id
           where (o.created_at, o.resolved_at, o.deleted_at is null, o.status, o.priority, o.channel, o.assignee_id, o.team_id)
                 is distinct from
                 (n.created_at, n.resolved_at, n.deleted_at is null, n.status, n.priority, n.channel, n.assignee_id, n.team_id)) c
   where c.day < today;
  return null;
end
$$;

create trigger figures_insert after insert on tickets referencing new table as new_rows
  for each statement execute function deskbell_mark_inserted();
create trigger figures_update after update on tickets referencing old table as old_rows new table as new_rows
  for each statement execute function deskbell_mark_updated();
create trigger figures_delete after delete on tickets referencing old table as old_rows
  for each statement execute function deskbell_mark_deleted();

-- Whose tags change, marks the ticket and not its days: somebody else may be moving it to another day just now, and marks that.
-- Not so a ticket that this very transaction has written, which nobody else can move, where it marked the days as well, or they
-- are not over: one that is made together with its tags.
create function deskbell_mark_tagged() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  today date := deskbell_days_over();
  me xid := pg_current_xact_id()::xid;
  mine date[] := array(select distinct day from figure_marks where xmin = me and day is not null);
begin
  insert into figure_marks (ticket_id)
  select distinct c.ticket_id
    from changed c left join tickets t on t.id = c.ticket_id
   where t.xmin is distinct from me
      or exists (select from (values (deskbell_utc_day(t.created_at)), (deskbell_utc_day(t.resolved_at))) d (day)
                  where d.day < today and d.day <> all (mine));
  return null;
end
$$;

create trigger figures_tagged after insert on ticket_tags referencing new table as changed
  for each statement execute function deskbell_mark_tagged();
create trigger figures_untagged after delete on ticket_tags referencing old table as changed
  for each statement execute function deskbell_mark_tagged();
create trigger figures_tag_before after update on ticket_tags referencing old table as changed
  for each statement execute function deskbell_mark_tagged();
create trigger figures_tag_after after update on ticket_tags referencing new table as changed
  for each statement execute function deskbell_mark_tagged();

-- Count the tickets of the days from `first` to the one before `last` anew.
create function deskbell_count_days(first date, last date) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  begins timestamptz := deskbell_utc_midnight(first);
  ends timestamptz := deskbell_utc_midnight(last);
begin
  delete from ticket_figures where day >= first and day < last;
  insert into ticket_figures (dimension, day, value, created, resolved, seconds, ended)
  select d.dimension, t.day, d.value, sum(t.created), sum(t.resolved), sum(t.seconds), sum(t.ended)
    from (select deskbell_utc_day(created_at) as day, status, priority, channel, assignee_id, team_id,
                 count(*) as created, count(resolved_at) as resolved,
                 coalesce(sum(extract(epoch from resolved_at - created_at)), 0) as seconds, 0 as ended
            from tickets where deleted_at is null and created_at >= begins and created_at < ends
           group by 1, 2, 3, 4, 5, 6
          union all
          select deskbell_utc_day(resolved_at), status, priority, channel, assignee_id, team_id, 0, 0, 0, count(*)
            from tickets where deleted_at is null and resolved_at >= begins and resolved_at < ends
           group by 1, 2, 3, 4, 5, 6) t,
         lateral (values ('status', t.status), ('priority', t.priority), ('channel', t.channel),
                         ('assignee', coalesce(t.assignee_id::text, '')), ('team', coalesce(t.team_id::text, '')))
           d (dimension, value)
   group by d.dimension, t.day, d.value
   order by d.dimension, t.day, d.value;
  insert into ticket_figures (dimension, day, value, created, ended)
  select 'tag', t.day, coalesce(g.tag_id::text, ''), sum(t.created), sum(t.ended)
    from (select id, deskbell_utc_day(created_at) as day, 1 as created, 0 as ended
            from tickets where deleted_at is null and created_at >= begins and created_at < ends
          union all
          select id, deskbell_utc_day(resolved_at), 0, 1
            from tickets where deleted_at is null and resolved_at >= begins and resolved_at < ends) t
         left join ticket_tags g on g.ticket_id = t.id
   group by t.day, g.tag_id
   order by t.day, g.tag_id;
end
$$;

-- Days that are over for an hour can be counted once no transaction is left that may have written to them while they were not:
-- those older than ours, which began after. The hour is for a clock that is set back. A number of a transaction that is yet to
-- come is from another server: the database was restored from a dump.
create function deskbell_days_to_count() returns date
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  over date := deskbell_utc_day(now() - interval '1 hour');
  known figure_progress;
begin
  update figure_progress set awaited_until = over, awaited_xid = pg_current_xact_id()::text::bigint
   where safe_until < over and (awaited_until is null or awaited_xid > pg_current_xact_id()::text::bigint);
  select * into known from figure_progress;
  if pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= known.awaited_xid then
    update figure_progress set safe_until = awaited_until, awaited_until = null, awaited_xid = null
    returning safe_until into known.safe_until;
  end if;
  return known.safe_until;
end
$$;

-- Count marked days anew, at most `most_days`, and further days up to about `most_tickets`; return whether there is more to do.
-- The marks go first: one that comes in between, or whose transaction has not ended, stays, and with it the day is counted by
-- whoever asks until the next time. Marks of tickets become those of the days that they have by now: who moves one marks its days.
create function deskbell_keep_figures(most_days integer, most_tickets integer) returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  safe date;
  reached date;
  first date;
  last date;
  marked date[];
begin
  if not pg_try_advisory_xact_lock(hashtext('deskbell.figures')) then return false; end if;
  safe := deskbell_days_to_count();
  select until into reached from figure_progress;
  with tagged as (
    delete from figure_marks where ticket_id is not null returning ticket_id
  )
  insert into figure_marks (day)
  select distinct d.day
    from (select distinct ticket_id from tagged) g join tickets t on t.id = g.ticket_id,
         lateral (values (deskbell_utc_day(t.created_at)), (deskbell_utc_day(t.resolved_at))) d (day)
   where d.day < reached;
  marked := array(select distinct day from figure_marks where day < reached order by day limit most_days);
  delete from figure_marks where day = any (marked);
  foreach first in array marked loop
    perform deskbell_count_days(first, first + 1);
  end loop;
  if reached < safe then
    first := deskbell_utc_day(least(
      (select min(created_at) from tickets where deleted_at is null and created_at >= deskbell_utc_midnight(reached)),
      (select min(resolved_at) from tickets where deleted_at is null and resolved_at >= deskbell_utc_midnight(reached))));
    first := least(first, safe);
    last := coalesce(deskbell_utc_day((
      select created_at from tickets where deleted_at is null and created_at >= deskbell_utc_midnight(first)
       order by created_at offset most_tickets limit 1)), safe);
    last := least(greatest(last, first + 1), safe);
    delete from figure_marks where day >= reached and day < last;
    perform deskbell_count_days(first, last);
    update figure_progress set until = last;
    reached := last;
  end if;
  return reached < safe or exists (select from figure_marks where day < reached);
end
$$;

-- Figures of the tickets created in a period that the actor may see, by the values of some dimensions.
create function deskbell_counted_figures(period_start timestamptz, period_end timestamptz, dimensions text[])
returns table (dimension text, value text, created bigint, resolved bigint, seconds numeric)
language sql stable as $$
  select d.dimension, d.value, sum(t.created)::bigint, sum(t.resolved)::bigint, sum(t.seconds)
    from (select status, priority, channel, assignee_id, team_id, count(*) as created, count(resolved_at) as resolved,
                 coalesce(sum(extract(epoch from resolved_at - created_at)), 0) as seconds
            from tickets where deleted_at is null and created_at >= period_start and created_at < period_end
           group by 1, 2, 3, 4, 5) t,
         lateral (values ('status', t.status), ('priority', t.priority), ('channel', t.channel),
                         ('assignee', coalesce(t.assignee_id::text, '')), ('team', coalesce(t.team_id::text, '')))
           d (dimension, value)
   where d.dimension = any (dimensions)
   group by d.dimension, d.value
$$;

-- The same for the desk: whole days that are kept and not marked from the figures, all else from the tickets. One statement, so
-- that marks, figures and tickets are of one moment.
create function deskbell_kept_figures(period_start timestamptz, period_end timestamptz, dimensions text[])
returns table (dimension text, value text, created bigint, resolved bigint, seconds numeric)
language sql stable as $$
  with whole as (
    select w.first, greatest(w.first, least(deskbell_utc_day(period_end), p.until)) as cut
      from figure_progress p,
           (select deskbell_utc_day(period_start - interval '1 microsecond') + 1 as first) w
  ), marked as materialized (
    select distinct day from figure_marks where day >= (select first from whole) and day < (select cut from whole)
  ), spans as (
    select period_start as begins, least(period_end, deskbell_utc_midnight(first)) as ends from whole
    union all
    select deskbell_utc_midnight(cut), period_end from whole
    union all
    select deskbell_utc_midnight(day), deskbell_utc_midnight(day + 1) from marked
  ), parts as (
    select f.dimension, f.value, f.created, f.resolved, f.seconds
      from ticket_figures f
     where f.dimension = any (dimensions)
       and f.day >= (select first from whole) and f.day < (select cut from whole)
       and not exists (select from marked m where m.day = f.day)
    union all
    select l.dimension, l.value, l.created, l.resolved, l.seconds
      from spans s, lateral deskbell_counted_figures(s.begins, s.ends, dimensions) l
     where s.begins < s.ends
  )
  select p.dimension, p.value, sum(p.created)::bigint, sum(p.resolved)::bigint, sum(p.seconds)
    from parts p group by p.dimension, p.value having sum(p.created) > 0
$$;

create function deskbell_value_of(dimension text, ticket tickets) returns text
language sql immutable parallel safe
return case dimension when 'status' then ticket.status when 'priority' then ticket.priority when 'channel' then ticket.channel
         when 'assignee' then coalesce(ticket.assignee_id::text, '') when 'team' then coalesce(ticket.team_id::text, '') end;

-- How many tickets were created and how many ended on each day of a period, by the values of a dimension; what came before the
-- period is together on the day before it. For the desk. Marked days and those without figures are counted.
create function deskbell_flow(first date, last date, of_dimension text)
returns table (day date, value text, created bigint, ended bigint)
language sql stable as $$
  with reach as (
    select least(last, p.until) as cut from figure_progress p
  ), marked as materialized (
    select distinct m.day from figure_marks m where m.day < (select cut from reach)
  ), spans as (
    select deskbell_utc_midnight(cut) as begins, deskbell_utc_midnight(last) as ends from reach
    union all
    select deskbell_utc_midnight(m.day), deskbell_utc_midnight(m.day + 1) from marked m
  ), parts as (
    select f.day, f.value, f.created, f.ended
      from ticket_figures f
     where f.dimension = of_dimension and f.day < (select cut from reach)
       and not exists (select from marked m where m.day = f.day)
    union all
    select t.day, t.value, t.created, 0
      from spans s, lateral (
        select deskbell_utc_day(k.created_at) as day, deskbell_value_of(of_dimension, k) as value, count(*) as created
          from tickets k where k.deleted_at is null and k.created_at >= s.begins and k.created_at < s.ends group by 1, 2) t
    union all
    select t.day, t.value, 0, t.ended
      from spans s, lateral (
        select deskbell_utc_day(k.resolved_at) as day, deskbell_value_of(of_dimension, k) as value, count(*) as ended
          from tickets k where k.deleted_at is null and k.resolved_at >= s.begins and k.resolved_at < s.ends group by 1, 2) t
  )
  select greatest(p.day, first - 1) as day, p.value, sum(p.created)::bigint, sum(p.ended)::bigint
    from parts p group by 1, 2
$$;

-- The same by tag, '' for none: a ticket with two tags is in both. Marked tickets mark the days that they have now.
create function deskbell_tag_flow(first date, last date)
returns table (day date, value text, created bigint, ended bigint)
language sql stable as $$
  with reach as (
    select least(last, p.until) as cut from figure_progress p
  ), marked as materialized (
    select m.day from figure_marks m where m.day < (select cut from reach)
    union
    select d.day
      from figure_marks m join tickets k on k.id = m.ticket_id,
           lateral (values (deskbell_utc_day(k.created_at)), (deskbell_utc_day(k.resolved_at))) d (day)
     where d.day < (select cut from reach)
  ), spans as (
    select deskbell_utc_midnight(cut) as begins, deskbell_utc_midnight(last) as ends from reach
    union all
    select deskbell_utc_midnight(m.day), deskbell_utc_midnight(m.day + 1) from marked m
  ), parts as (
    select f.day, f.value, f.created, f.ended
      from ticket_figures f
     where f.dimension = 'tag' and f.day < (select cut from reach)
       and not exists (select from marked m where m.day = f.day)
    union all
    select t.day, t.value, t.created, 0
      from spans s, lateral (
        select deskbell_utc_day(k.created_at) as day, coalesce(g.tag_id::text, '') as value, count(*) as created
          from tickets k left join ticket_tags g on g.ticket_id = k.id
         where k.deleted_at is null and k.created_at >= s.begins and k.created_at < s.ends group by 1, 2) t
    union all
    select t.day, t.value, 0, t.ended
      from spans s, lateral (
        select deskbell_utc_day(k.resolved_at) as day, coalesce(g.tag_id::text, '') as value, count(*) as ended
          from tickets k left join ticket_tags g on g.ticket_id = k.id
         where k.deleted_at is null and k.resolved_at >= s.begins and k.resolved_at < s.ends group by 1, 2) t
  )
  select greatest(p.day, first - 1) as day, p.value, sum(p.created)::bigint, sum(p.ended)::bigint
    from parts p group by 1, 2
$$;

revoke all on function deskbell_mark_inserted(), deskbell_mark_updated(), deskbell_mark_deleted(), deskbell_mark_tagged(),
  deskbell_count_days(date, date), deskbell_days_to_count(), deskbell_keep_figures(integer, integer) from public;
grant execute on function deskbell_keep_figures(integer, integer) to deskbell_system;
