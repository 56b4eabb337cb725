create or replace function deskbell_vector(source text) returns tsvector
language plpgsql immutable parallel safe strict as $$
declare
  room integer := 200000;
begin
  if octet_length(source) <= 200000 then
    return to_tsvector('public.deskbell', deskbell_words(source));
  end if;
  loop
    begin
      return to_tsvector('public.deskbell', deskbell_words(left(source, room)));
    exception when program_limit_exceeded then
      room := room / 2;
    end;
  end loop;
end
$$;

drop function deskbell_vector_of_long(text);

create or replace function deskbell_learn_words_of(ids bigint[]) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  insert into search_words (word)
  select w.word
    from ts_stat(format('select coalesce(staff_vector, public_vector) from search_documents where ticket_id = any (%L)', ids)) w
   where w.word ~ '^[[:alpha:]]{3,30}$' and (select k.id from search_words k where k.word = w.word limit 1) is null;
end
$$;
