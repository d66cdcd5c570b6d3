-- +goose Up
-- Makes the month's partition that holds a moment, if it is not there, and
-- returns its name. SECURITY DEFINER: ATTACH needs ownership, and writers own
-- nothing. Nothing but pg_catalog is on its search_path: what a writer might
-- make elsewhere, a better match of a function among it, is never called.
--
-- LIKE + CHECK + ATTACH instead of CREATE TABLE … PARTITION OF: the latter
-- waits for open writers and queues the next ones behind it. The matching
-- CHECK spares ATTACH the scan. The advisory lock is needed because
-- IF NOT EXISTS alone races.
-- +goose StatementBegin
CREATE FUNCTION ensure_partition(moment timestamptz) RETURNS text
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
    -- The key is the name of the parent: other tables' locks never meet ours.
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
    -- The partition's bounds say it now; the CHECK would be evaluated for every row.
    EXECUTE format('ALTER TABLE public.%I DROP CONSTRAINT %I', partition, partition || '_range');
    RETURN partition;
END
$$;
-- +goose StatementEnd
ALTER FUNCTION ensure_partition(timestamptz) OWNER TO dwcp_owner;
REVOKE ALL ON FUNCTION ensure_partition(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partition(timestamptz) TO dwcp_writer, dwcp_maintainer;

-- +goose Down
DROP FUNCTION ensure_partition(timestamptz);
