-- The trigger that keeps a ticket seen by who changes it. Runs after its table is made.

-- Every change moves a ticket's version by one: who had seen the one before has seen this one as well, as it is their own.
create function deskbell_keep_seen() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if deskbell_actor() is not null then
    update ticket_reads r set version = n.version, seen_at = n.updated_at
      from new_rows n
     where r.user_id = deskbell_actor() and r.ticket_id = n.id and r.version = n.version - 1;
  end if;
  return null;
end
$$;

revoke all on function deskbell_keep_seen() from public;
create trigger keep_seen after update on tickets
  referencing new table as new_rows for each statement execute function deskbell_keep_seen();
