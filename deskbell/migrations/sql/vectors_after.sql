-- Lexemes of texts, as before, in fewer steps.

-- Of a text that may be too long for a tsvector, which holds at most 1 MB: as much of it as fits.
create function deskbell_vector_of_long(source text) returns tsvector
language plpgsql immutable parallel safe strict as $$
declare
  room integer := 200000;
begin
  loop
    begin
      return to_tsvector('public.deskbell', deskbell_words(left(source, room)));
    exception when program_limit_exceeded then
      room := room / 2;
    end;
  end loop;
end
$$;

-- The lexemes of a text. Not strict, so that it becomes part of the statement that calls it; NULL gives NULL all the same.
create or replace function deskbell_vector(source text) returns tsvector
language sql immutable parallel safe
return case when octet_length(source) <= 200000 then to_tsvector('public.deskbell'::regconfig, deskbell_words(source))
            else deskbell_vector_of_long(source) end;

-- As before; only words that are not known are compared with the pattern, which takes longer than to look one up.
create or replace function deskbell_learn_words_of(ids bigint[]) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  insert into search_words (word)
  select w.word
    from ts_stat(format('select coalesce(staff_vector, public_vector) from search_documents where ticket_id = any (%L)', ids)) w
   where case when (select k.id from search_words k where k.word = w.word limit 1) is null
              then w.word ~ '^[[:alpha:]]{3,30}$' end;
end
$$;
