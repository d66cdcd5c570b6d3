-- +goose Up
-- What partitions the table has, with bounds as timestamps: -infinity and
-- infinity stand for MINVALUE and MAXVALUE, and for both of a DEFAULT partition.
-- PostgreSQL tells bounds only as text, in the session's style and zone, hence
-- the settings. Nothing but the catalog is read.
-- +goose StatementBegin
CREATE FUNCTION compression_telemetry_partitions(
    OUT partition regclass, OUT lower timestamptz, OUT upper timestamptz, OUT detach_pending boolean)
    RETURNS SETOF record LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
AS $$
    SELECT c.oid::regclass,
           coalesce((regexp_match(bounds.text, 'FROM \(''([^'']+)''\)'))[1]::timestamptz, '-infinity'),
           coalesce((regexp_match(bounds.text, 'TO \(''([^'']+)''\)'))[1]::timestamptz, 'infinity'),
           i.inhdetachpending
    FROM pg_inherits AS i
         JOIN pg_class AS c ON c.oid = i.inhrelid,
         LATERAL pg_get_expr(c.relpartbound, c.oid) AS bounds (text)
    WHERE i.inhparent = to_regclass('public.compression_telemetry')
    ORDER BY 2, 1
$$;
-- +goose StatementEnd

-- Whether pg_partman looks after the table, and what it is told to do with old
-- partitions. The schema is NULL where it does not; the retention is NULL where
-- it has none or where dwcp_owner may not read it (readable is false).
--
-- SECURITY DEFINER: a writer may not read part_config. So it must be an ordinary
-- table of built-in types without row security: reading one runs nobody's code.
-- Where dwcp_owner may not read it, the names that pg_partman gives tell.
-- +goose StatementBegin
CREATE FUNCTION compression_telemetry_partman(
    OUT schema text, OUT readable boolean, OUT retention text, OUT keeps_table boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    config record;
    found  record;
BEGIN
    FOR config IN
        SELECT n.oid AS namespace, n.nspname AS name, c.oid AS id
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relname = 'part_config' AND c.relkind = 'r' AND NOT c.relrowsecurity
          AND 3 = (SELECT count(*) FROM pg_attribute AS a
                   WHERE a.attrelid = c.oid AND NOT a.attisdropped
                     AND (a.attname::text, a.atttypid) IN (('parent_table', 'text'::regtype), ('retention', 'text'::regtype), ('retention_keep_table', 'boolean'::regtype)))
    LOOP
        IF has_schema_privilege(config.namespace, 'USAGE') AND has_table_privilege(config.id, 'SELECT') THEN
            EXECUTE format('SELECT true AS there, retention, retention_keep_table FROM %I.part_config WHERE parent_table = %L', config.name, 'public.compression_telemetry')
                INTO found;
            IF found.there THEN
                schema := config.name;
                readable := true;
                retention := found.retention;
                keeps_table := found.retention_keep_table;
                RETURN;
            END IF;
        ELSIF EXISTS (SELECT FROM public.compression_telemetry_partitions() AS p JOIN pg_class AS c ON c.oid = p.partition
                      WHERE c.relname ~ '^compression_telemetry_(p\d|default$)') THEN
            schema := config.name;
            readable := false;
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- Makes the partition of the period (month, week, day: of UTC, weeks as in ISO
-- 8601) that holds a moment, and returns its name. Where a partition of any size
-- holds the moment already, that is it. Where others reach into the period, as
-- after a change of the period, the new one is clipped to what is free around the
-- moment. Names: compression_telemetry_202611, _2026w48, _20261125; of a clipped
-- one with where it begins: compression_telemetry_202611_from_20261109.
--
-- LIKE + CHECK + ATTACH instead of CREATE TABLE … PARTITION OF: the latter
-- waits for open writers and queues the next ones behind it. The matching
-- CHECK spares ATTACH the scan. The advisory lock is needed because
-- IF NOT EXISTS alone races.
--
-- SECURITY DEFINER: ATTACH needs ownership, and writers own nothing. Nothing but
-- pg_catalog is on its search_path: what a writer might make elsewhere, a better
-- match of a function among it, is never called.
-- +goose StatementBegin
CREATE FUNCTION ensure_partition(moment timestamptz, period text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
    SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    first   timestamptz;
    next    timestamptz;
    lower   timestamptz;
    upper   timestamptz;
    holder  record;
    name    text;
    manager text;
BEGIN
    IF moment IS NULL OR moment < now() - interval '10 years' OR moment > now() + interval '1 year' THEN
        RAISE EXCEPTION 'ensure_partition: % must lie between 10 years ago and 1 year ahead', moment
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF period IS NULL OR period NOT IN ('month', 'week', 'day') THEN
        RAISE EXCEPTION 'ensure_partition: the period must be month, week or day, got %', coalesce(period, 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- First without the lock: nearly always it is there. Under the lock each
    -- statement sees what those who held it before have committed.
    FOR attempt IN 1..2 LOOP
        SELECT c.relname, p.detach_pending INTO holder
        FROM public.compression_telemetry_partitions() AS p JOIN pg_class AS c ON c.oid = p.partition
        WHERE p.lower <= moment AND moment < p.upper AND (p.lower > '-infinity' OR p.upper < 'infinity');
        IF holder.detach_pending THEN
            RAISE EXCEPTION 'ensure_partition: the partition % that held % is being detached', holder.relname, moment
                USING ERRCODE = 'object_in_use', HINT = 'It expired. Whoever holds dwcp_maintainer drops it soon.';
        ELSIF holder.relname IS NOT NULL THEN
            RETURN holder.relname;
        ELSIF attempt = 1 THEN
            -- The key is the name of the parent: other tables' locks never meet ours.
            PERFORM pg_advisory_xact_lock(hashtextextended('compression_telemetry partitions', 0));
        END IF;
    END LOOP;

    manager := (public.compression_telemetry_partman()).schema;
    IF manager IS NOT NULL THEN
        RAISE EXCEPTION 'ensure_partition: pg_partman (schema %) manages the table and has made no partition for %', manager, moment
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Raise premake in part_config and run its maintenance.';
    END IF;

    first := date_trunc(period, moment);
    next := first + ('1 ' || period)::interval;
    SELECT greatest(first, max(p.upper) FILTER (WHERE p.upper <= moment)),
           least(next, min(p.lower) FILTER (WHERE p.lower > moment))
    INTO lower, upper
    FROM public.compression_telemetry_partitions() AS p;

    name := 'compression_telemetry_' || to_char(first, CASE period WHEN 'month' THEN 'YYYYMM' WHEN 'week' THEN 'IYYY"w"IW' ELSE 'YYYYMMDD' END);
    IF (lower, upper) <> (first, next) THEN
        name := name || '_from_' || to_char(lower, CASE WHEN lower = date_trunc('day', lower) THEN 'YYYYMMDD' ELSE 'YYYYMMDD"t"HH24MISSUS' END);
    END IF;
    IF to_regclass('public.' || quote_ident(name)) IS NOT NULL THEN
        RAISE EXCEPTION 'ensure_partition: the table % is there but not attached', name
            USING ERRCODE = 'duplicate_table', HINT = 'Attach it to compression_telemetry, or drop it.';
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.compression_telemetry INCLUDING ALL,
                    CONSTRAINT %I CHECK (timestamp IS NOT NULL AND timestamp >= %L AND timestamp < %L))',
                   name, name || '_range', lower, upper);
    EXECUTE format('ALTER TABLE public.compression_telemetry ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   name, lower, upper);
    -- The partition's bounds say it now; the CHECK would be evaluated for every row.
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT %I', name, name || '_range');
    RETURN name;
END
$$;
-- +goose StatementEnd

-- What collectors of the version before call: months.
CREATE OR REPLACE FUNCTION ensure_partition(moment timestamptz) RETURNS text
    LANGUAGE sql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    AS $$ SELECT public.ensure_partition(moment, 'month') $$;

ALTER FUNCTION compression_telemetry_partitions() OWNER TO dwcp_owner;
ALTER FUNCTION compression_telemetry_partman() OWNER TO dwcp_owner;
ALTER FUNCTION ensure_partition(timestamptz, text) OWNER TO dwcp_owner;
REVOKE ALL ON FUNCTION compression_telemetry_partitions(), compression_telemetry_partman() FROM PUBLIC;
REVOKE ALL ON FUNCTION ensure_partition(timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION compression_telemetry_partitions(), compression_telemetry_partman() TO dwcp_writer, dwcp_maintainer, dwcp_ml_reader;
GRANT EXECUTE ON FUNCTION ensure_partition(timestamptz, text) TO dwcp_writer, dwcp_maintainer;

-- +goose Down
-- As 00004 made it, so that a collector of that version goes on.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ensure_partition(moment timestamptz) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
AS $$
DECLARE
    first     timestamptz := date_trunc('month', moment);
    next      timestamptz := date_trunc('month', moment) + interval '1 month';
    partition text := 'compression_telemetry_' || to_char(moment, 'YYYYMM');
BEGIN
    IF moment IS NULL OR moment < now() - interval '10 years' OR moment > now() + interval '1 year' THEN
        RAISE EXCEPTION 'ensure_partition: % must lie between 10 years ago and 1 year ahead', moment
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('compression_telemetry partitions', 0));
    IF EXISTS (SELECT FROM pg_inherits
               WHERE inhparent = 'public.compression_telemetry'::regclass
                 AND inhrelid = to_regclass('public.' || quote_ident(partition))
                 AND NOT inhdetachpending) THEN
        RETURN partition;
    END IF;
    IF to_regclass('public.' || quote_ident(partition)) IS NOT NULL THEN
        RAISE EXCEPTION 'ensure_partition: the table % is there but not attached', partition
            USING ERRCODE = 'duplicate_table', HINT = 'Attach it to compression_telemetry, or drop it.';
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.compression_telemetry INCLUDING ALL,
                    CONSTRAINT %I CHECK (timestamp IS NOT NULL AND timestamp >= %L AND timestamp < %L))',
                   partition, partition || '_range', first, next);
    EXECUTE format('ALTER TABLE public.compression_telemetry ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   partition, first, next);
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT %I', partition, partition || '_range');
    RETURN partition;
END
$$;
-- +goose StatementEnd
DROP FUNCTION ensure_partition(timestamptz, text);
DROP FUNCTION compression_telemetry_partman();
DROP FUNCTION compression_telemetry_partitions();
