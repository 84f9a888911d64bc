"""The database seals the trail at the end of each transaction; what was written before is sealed here.

The order of things matters, and docs/decisions/0004-the-trail-is-sealed-at-commit.md says why:

1. An INSERT into the entries, however many rows, notes the transaction's first entry in `office_trailturn`.
2. The commit fires the deferred trigger of that note, which takes the note away again.
3. That deletion queues a second deferred event. PostgreSQL fires it after everything else that was deferred (foreign
   keys lock rows of their own), so the strand's lock is the last lock any transaction takes.
"""

from django.db import migrations

TABLES = """
CREATE UNLOGGED TABLE office_trailturn (xact xid8 PRIMARY KEY, first bigint NOT NULL);
COMMENT ON TABLE office_trailturn IS 'empty outside a transaction: the first entry it has still to seal';
"""

CANONICAL = """
CREATE FUNCTION office_trail_canonical(entry office_trailentry) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT json_build_array(
        entry.id, to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), entry.by_id, entry.by_name,
        entry.verb, entry.about, entry.label, entry.customer_id, entry.particulars
    )::text
$$;
"""

SEAL = """
CREATE FUNCTION office_trail_strand() RETURNS smallint LANGUAGE plpgsql AS $$
-- A free strand, held until the transaction ends; where all sixteen are held, this session waits for its own.
DECLARE
    chosen smallint;
BEGIN
    FOR chosen IN 0 .. 15 LOOP
        IF pg_try_advisory_xact_lock(1392508930, chosen) THEN
            RETURN chosen;
        END IF;
    END LOOP;
    chosen := pg_backend_pid() % 16;
    PERFORM pg_advisory_xact_lock(1392508930, chosen);
    RETURN chosen;
END $$;

CREATE FUNCTION office_trail_seal(beginning bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
-- Link every entry from this number on that has no link. Others' entries have theirs as soon as they can be seen.
DECLARE
    ids bigint[];
    payloads bytea[];
    hashes bytea[];
    chosen smallint;
    last bigint;
    hash bytea;
BEGIN
    LOOP
        SELECT array_agg(found.id ORDER BY found.id), array_agg(found.payload ORDER BY found.id) INTO ids, payloads
        FROM (
            SELECT entry.id, convert_to(office_trail_canonical(entry), 'UTF8') AS payload
            FROM office_trailentry AS entry
            WHERE entry.id >= beginning
                AND NOT EXISTS (SELECT FROM office_traillink AS link WHERE link.entry_id = entry.id)
            ORDER BY entry.id LIMIT 10000
        ) AS found;
        EXIT WHEN ids IS NULL;
        IF chosen IS NULL THEN
            chosen := office_trail_strand();
            SELECT link.seq, link.hash INTO last, hash FROM office_traillink AS link
            WHERE link.strand = chosen ORDER BY link.seq DESC LIMIT 1;
            last := coalesce(last, 0);
            hash := coalesce(hash, sha256(convert_to('shouxin trail strand ' || chosen, 'UTF8')));
        END IF;
        hashes := '{}';
        FOR i IN 1 .. cardinality(ids) LOOP
            hash := sha256(hash || payloads[i]);
            hashes[i] := hash;
        END LOOP;
        INSERT INTO office_traillink (strand, seq, entry_id, hash)
        SELECT chosen, last + made.n, made.id, made.hash
        FROM unnest(ids, hashes) WITH ORDINALITY AS made(id, hash, n);
        last := last + cardinality(ids);
        INSERT INTO office_trailseal (strand, seq, hash, entries, at)
        VALUES (chosen, last, hash, cardinality(ids), clock_timestamp());
        beginning := ids[cardinality(ids)] + 1;
    END LOOP;
END $$;
"""

TRIGGERS = """
CREATE FUNCTION office_trail_written() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO office_trailturn AS turn
    SELECT pg_current_xact_id(), min(written.id) FROM written HAVING count(*) > 0
    ON CONFLICT (xact) DO UPDATE SET first = excluded.first WHERE excluded.first < turn.first;
    RETURN NULL;
END $$;

CREATE FUNCTION office_trail_turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        DELETE FROM office_trailturn WHERE xact = NEW.xact;
    ELSE
        PERFORM office_trail_seal(OLD.first);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER office_trail_written AFTER INSERT ON office_trailentry REFERENCING NEW TABLE AS written
FOR EACH STATEMENT EXECUTE FUNCTION office_trail_written();

CREATE CONSTRAINT TRIGGER office_trail_turn AFTER INSERT OR DELETE ON office_trailturn
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION office_trail_turn();
"""

PLACE = """
DO $$
-- A function that runs with its owner's rights looks for tables here alone, never among a caller's temporary ones.
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'office_trail_seal(bigint)', 'office_trail_strand()', 'office_trail_written()', 'office_trail_turn()'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END $$;
"""

UNDO = """
DROP TABLE office_trailturn;
DROP TRIGGER office_trail_written ON office_trailentry;
DROP FUNCTION office_trail_turn(), office_trail_written(), office_trail_seal(bigint), office_trail_strand();
DROP FUNCTION office_trail_canonical(office_trailentry);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('office', '0004_trail_links_never_emptied'),
    ]

    operations = [
        migrations.RunSQL(TABLES + CANONICAL + SEAL + TRIGGERS, UNDO),
        migrations.RunSQL(PLACE, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT office_trail_seal(0)", migrations.RunSQL.noop),
    ]
