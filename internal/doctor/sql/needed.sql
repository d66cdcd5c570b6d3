-- What a purpose takes and this login lacks. A table or function that is not
-- there is lacking, too.
SELECT privilege || ' on ' || object FROM (
    SELECT 'writer' AS purpose, p AS privilege, t AS object, has_table_privilege(to_regclass('public.' || t), p) AS has
    FROM (VALUES ('compression_telemetry', 'INSERT'), ('compression_telemetry', 'SELECT'),
                 ('compression_telemetry_rejected', 'INSERT'), ('compression_telemetry_rejected', 'SELECT'),
                 ('compression_telemetry_batches', 'INSERT'), ('compression_telemetry_batches', 'SELECT'),
                 ('compression_telemetry_forgotten', 'SELECT')) AS v (t, p)
    UNION ALL
    SELECT 'writer', 'USAGE', 'compression_telemetry_id_seq',
           (SELECT has_sequence_privilege(oid, 'USAGE') FROM pg_class WHERE oid = to_regclass('public.compression_telemetry_id_seq'))
    UNION ALL
    SELECT 'writer', 'TEMPORARY', 'database ' || current_database(), has_database_privilege(current_database(), 'TEMPORARY')
    UNION ALL
    SELECT purpose, 'EXECUTE', f, has_function_privilege(to_regprocedure('public.' || f), 'EXECUTE')
    FROM (VALUES ('writer', 'ensure_partition(timestamptz, text)'), ('writer', 'compression_telemetry_partitions()'),
                 ('writer', 'compression_telemetry_partman()'), ('maintainer', 'ensure_partition(timestamptz, text)'),
                 ('maintainer', 'settle_rejected(bytea[])'), ('maintainer', 'correct_labels(bigint, jsonb)'),
                 ('reader', 'compression_telemetry_partitions()')) AS v (purpose, f)
    UNION ALL
    SELECT 'maintainer', p, t, has_table_privilege(to_regclass('public.' || t), p)
    FROM (VALUES ('compression_telemetry_rejected', 'SELECT'), ('compression_telemetry_rejected', 'DELETE'),
                 ('compression_telemetry_batches', 'SELECT'), ('compression_telemetry_forgotten', 'SELECT')) AS v (t, p)
    UNION ALL
    SELECT 'maintainer', 'SET ROLE', 'dwcp_owner', pg_has_role('dwcp_owner', 'MEMBER')
    UNION ALL
    SELECT 'reader', 'SELECT', t, has_table_privilege(to_regclass('public.' || t), 'SELECT')
    FROM (VALUES ('compression_telemetry_ml'), ('compression_telemetry_batches'), ('goose_db_version')) AS v (t)
    UNION ALL
    SELECT 'owner', 'membership', 'dwcp_owner', pg_has_role('dwcp_owner', 'USAGE')
    UNION ALL
    SELECT 'owner', 'CREATEROLE', 'this server', (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user)
    UNION ALL
    SELECT 'owner', 'CREATE', 'schema public', has_schema_privilege('public', 'CREATE')
    UNION ALL
    SELECT 'owner', p, 'goose_db_version', has_table_privilege(to_regclass('public.goose_db_version'), p)
    FROM (VALUES ('SELECT'), ('INSERT')) AS v (p)
) AS needed
WHERE purpose = $1 AND has IS NOT TRUE
