-- Makes the table of a freshly migrated, empty database a hypertable, run by a
-- superuser after CREATE EXTENSION timescaledb (2.18 or later). NOT run against
-- TimescaleDB: what is ours in it was run on a plain PostgreSQL with functions of
-- its names that record their calls.
--
-- After it: give no maintenance::dsn, and never `migrate down`. The policy drops
-- chunks that hold nothing younger than 90 days, and the ledger does not learn
-- it. Rejected rows are taken out by `dwcp-telemetry rejected purge`.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL search_path = public;
LOCK TABLE compression_telemetry;
DO $$
BEGIN
    IF EXISTS (SELECT FROM compression_telemetry) THEN
        RAISE EXCEPTION 'compression_telemetry holds rows: this is for a fresh database';
    END IF;
END
$$;

-- A partitioned table cannot become a hypertable.
DROP VIEW compression_telemetry_ml;
ALTER TABLE compression_telemetry RENAME TO compression_telemetry_aside;
ALTER INDEX compression_telemetry_pkey RENAME TO compression_telemetry_aside_pkey;
ALTER INDEX compression_telemetry_vm_idx RENAME TO compression_telemetry_aside_vm_idx;
CREATE TABLE compression_telemetry (LIKE compression_telemetry_aside INCLUDING ALL);
ALTER INDEX compression_telemetry_vm_id_idx RENAME TO compression_telemetry_vm_idx;
COMMENT ON TABLE compression_telemetry IS 'One row per decision of DWCP between HDE and AMST; docs/event.md says what each column means';
ALTER SEQUENCE compression_telemetry_id_seq OWNED BY NONE;
ALTER TABLE compression_telemetry OWNER TO dwcp_owner;
ALTER SEQUENCE compression_telemetry_id_seq OWNER TO dwcp_owner;
ALTER SEQUENCE compression_telemetry_id_seq OWNED BY compression_telemetry.id;

-- The same privileges, those of columns too.
REVOKE ALL ON compression_telemetry FROM PUBLIC;
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT a.privilege_type AS may, a.grantee::regrole AS who, '' AS columns
        FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.oid = 'compression_telemetry_aside'::regclass AND a.grantee <> c.relowner AND a.grantee <> 0
        UNION ALL
        SELECT a.privilege_type, a.grantee::regrole, format('(%I)', t.attname)
        FROM pg_attribute AS t, aclexplode(t.attacl) AS a
        WHERE t.attrelid = 'compression_telemetry_aside'::regclass AND NOT t.attisdropped
    LOOP
        EXECUTE format('GRANT %s %s ON compression_telemetry TO %s', held.may, held.columns, held.who);
    END LOOP;
END
$$;
DROP TABLE compression_telemetry_aside;
CREATE VIEW compression_telemetry_ml AS SELECT * FROM compression_telemetry;
ALTER VIEW compression_telemetry_ml OWNER TO dwcp_owner;
GRANT SELECT ON compression_telemetry_ml TO dwcp_ml_reader;

-- A hypertable makes its chunks. One partition without an end, which begins
-- before any decision, is what exporter and commands see: nothing is to be made.
-- One without a beginning either would be taken for a DEFAULT partition.
CREATE OR REPLACE FUNCTION compression_telemetry_partitions(
    OUT partition regclass, OUT lower timestamptz, OUT upper timestamptz, OUT detach_pending boolean)
    RETURNS SETOF record LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'public.compression_telemetry'::regclass, timestamptz '1970-01-01 00:00Z', timestamptz 'infinity', false $$;
CREATE OR REPLACE FUNCTION ensure_partition(moment timestamptz, period text) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$ SELECT 'compression_telemetry' $$;

SELECT create_hypertable('public.compression_telemetry', by_range('timestamp', INTERVAL '1 day'), create_default_indexes => false);
ALTER TABLE compression_telemetry SET (
    timescaledb.enable_columnstore, timescaledb.segmentby = 'link_type', timescaledb.orderby = 'timestamp');
-- After a week hardly a late row comes: merging into the columnstore costs more.
CALL add_columnstore_policy('public.compression_telemetry', after => INTERVAL '7 days');
SELECT add_retention_policy('public.compression_telemetry', drop_after => INTERVAL '90 days');
COMMIT;
