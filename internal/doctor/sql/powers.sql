-- Privileges of a login that belong to another purpose. Those of the owner are
-- told apart from these.
SELECT privilege || ' on ' || object FROM (
    SELECT v.purposes, p AS privilege, t AS object, has_table_privilege(to_regclass('public.' || t), p) AS has
    FROM (VALUES ('compression_telemetry', 'INSERT', 'writer'), ('compression_telemetry', 'SELECT', 'writer'),
                 ('compression_telemetry', 'UPDATE', ''), ('compression_telemetry', 'DELETE', ''), ('compression_telemetry', 'TRUNCATE', ''),
                 ('compression_telemetry_rejected', 'INSERT', 'writer'), ('compression_telemetry_rejected', 'SELECT', 'writer maintainer'),
                 ('compression_telemetry_rejected', 'DELETE', 'maintainer'), ('compression_telemetry_rejected', 'TRUNCATE', ''),
                 ('compression_telemetry_batches', 'INSERT', 'writer'), ('compression_telemetry_batches', 'UPDATE', ''),
                 ('compression_telemetry_batches', 'DELETE', ''),
                 ('compression_telemetry_forgotten', 'INSERT', ''), ('compression_telemetry_forgotten', 'DELETE', '')) AS v (t, p, purposes)
    UNION ALL
    SELECT 'maintainer', 'SET ROLE', 'dwcp_owner',
           (SELECT bool_or(pg_has_role(oid, 'MEMBER')) FROM pg_roles WHERE rolname = 'dwcp_owner')
    UNION ALL
    SELECT '', 'CREATE', 'schema public', has_schema_privilege('public', 'CREATE')
) AS powers
WHERE has AND NOT $1 = ANY (string_to_array(purposes, ' '))
