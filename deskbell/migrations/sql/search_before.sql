-- What tables, indexes and triggers of the search call. Runs before its tables are made.

-- How texts become lexemes: accents folded, words stemmed. `deskbell_set_search_language` changes the stemmer.
create text search configuration deskbell (copy = pg_catalog.english);
alter text search configuration deskbell alter mapping for hword, hword_part, word with unaccent, english_stem;

-- Least urgent first.
create function deskbell_priority_rank(priority text) returns integer
language sql immutable parallel safe
return case priority when 'low' then 1 when 'medium' then 2 when 'high' then 3 when 'urgent' then 4 end;

-- A text without ASCII punctuation, which PostgreSQL's parser would make file names, hosts, signs and tags of: then
-- "invoice" would not find `invoice.pdf`, nor "1042" `DB-1042`. Documents and queries both pass through here. (Not
-- `translate`, which compares each letter with each sign and takes longer than the parser.)
create function deskbell_words(source text) returns text
language sql immutable parallel safe strict
return regexp_replace(source, '[!-/:-@[-`{-~]', ' ', 'g');

-- The lexemes of a text. A tsvector holds at most 1 MB and a mail may be far longer: as much of it as fits.
create function deskbell_vector(source text) returns tsvector
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

-- Two parts of one document. A mark that no word can be stands between them, so that no phrase begins in the one and ends
-- in the other. Where both are too much for a tsvector the first part keeps its place.
create function deskbell_joined(first tsvector, second tsvector) returns tsvector
language plpgsql immutable parallel safe as $$
begin
  if second is null or second = '' then
    return first;
  elsif first is null or first = '' then
    return second;
  elsif pg_column_size(first) + pg_column_size(second) < 1000000 then
    return first || '''|'':16'::tsvector || second;
  end if;
  begin
    return first || '''|'':16'::tsvector || strip(second);
  exception when program_limit_exceeded then
    return first;
  end;
end
$$;

create aggregate deskbell_join(tsvector) (sfunc = deskbell_joined, stype = tsvector, parallel = safe);

create function deskbell_ticket_vector(title text, ticket_number text, description text) returns tsvector
language sql immutable parallel safe
return deskbell_joined(
  deskbell_joined(setweight(deskbell_vector(title), 'A'), setweight(deskbell_vector(ticket_number), 'A')),
  setweight(deskbell_vector(description), 'B'));
