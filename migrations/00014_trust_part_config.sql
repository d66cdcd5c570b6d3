-- +goose Up
-- Whoever may make a table could have made one named part_config, and with it
-- have kept collectors from making partitions and the retention from being kept.
-- It counts only where it is the extension's, or a superuser's or the database's
-- owner's, for whom pg_partman was installed without being an extension.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION compression_telemetry_partman(
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
          AND (EXISTS (SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
                       WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_extension'::regclass
                         AND d.deptype = 'e' AND e.extname = 'pg_partman')
               OR EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = c.relowner AND r.rolsuper)
               OR EXISTS (SELECT FROM pg_database AS b WHERE b.datname = current_database() AND b.datdba = c.relowner))
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

-- +goose Down
-- It stays: it takes and returns what it did before.
SELECT 1;
