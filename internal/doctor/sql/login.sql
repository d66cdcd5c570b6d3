-- Who one is, and by which of our roles.
WITH ours AS (SELECT rolname::text AS name FROM pg_roles WHERE rolname IN ('dwcp_owner', 'dwcp_writer', 'dwcp_maintainer', 'dwcp_ml_reader'))
SELECT current_user::text, session_user::text, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls,
       ARRAY(SELECT name FROM ours WHERE NOT r.rolsuper AND pg_has_role(name, 'MEMBER') ORDER BY name),
       ARRAY(SELECT name FROM ours WHERE NOT r.rolsuper AND pg_has_role(name, 'USAGE') ORDER BY name),
       coalesce((SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()), false),
       coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('public.compression_telemetry')), false),
       (SELECT count(*) = 4 FROM ours),
       ARRAY(SELECT p.rolname::text FROM pg_roles AS p
             WHERE p.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
                                 'pg_execute_server_program', 'pg_signal_backend')
               AND NOT r.rolsuper AND pg_has_role(p.oid, 'MEMBER') ORDER BY 1)
FROM pg_roles AS r WHERE r.rolname = current_user
