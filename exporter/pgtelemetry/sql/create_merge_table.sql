-- One per server connection, emptied by each commit: a temporary table made and
-- dropped per batch would bloat the catalog. It has the columns and constraints
-- of the parent, and the comment says of which state of it: behind PgBouncer a
-- server connection outlives ours by far and is handed from one collector to
-- the next, so that a table may be met that is older than the last migration.
DO $$
DECLARE
    parent CONSTANT oid  := 'public.compression_telemetry'::regclass;
    state  CONSTANT text := md5(concat(
        (SELECT string_agg(concat_ws(' ', attname, atttypid, atttypmod, attnotnull), ',' ORDER BY attnum)
         FROM pg_catalog.pg_attribute WHERE attrelid = parent AND attnum > 0 AND NOT attisdropped),
        (SELECT string_agg(pg_catalog.pg_get_constraintdef(oid), ',' ORDER BY conname)
         FROM pg_catalog.pg_constraint WHERE conrelid = parent AND contype = 'c')));
BEGIN
    IF to_regclass('pg_temp.dwcp_merge') IS NOT NULL THEN
        IF pg_catalog.obj_description('pg_temp.dwcp_merge'::regclass, 'pg_class') = state THEN
            RETURN;
        END IF;
        DROP TABLE pg_temp.dwcp_merge;
    END IF;
    CREATE TEMPORARY TABLE dwcp_merge
        (LIKE public.compression_telemetry INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
        ON COMMIT DELETE ROWS;
    EXECUTE format('COMMENT ON TABLE pg_temp.dwcp_merge IS %L', state);
END
$$
