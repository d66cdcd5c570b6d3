-- What is granted to PUBLIC of what is this project's: tables, views, sequences,
-- functions, and CREATE on the schema. A function without privileges of its own
-- may be called by everybody, by PostgreSQL's default.
SELECT object, string_agg(privilege, ', ' ORDER BY privilege), 'REVOKE ALL ON ' || object || ' FROM PUBLIC'
FROM (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE '' END || c.oid::regclass AS object, acl.privilege_type AS privilege
    FROM pg_class AS c, aclexplode(c.relacl) AS acl
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname LIKE 'compression\_telemetry%' AND acl.grantee = 0
    UNION ALL
    SELECT 'FUNCTION ' || p.oid::regprocedure, acl.privilege_type
    FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
    WHERE p.pronamespace = 'public'::regnamespace AND acl.grantee = 0
      AND (p.proname LIKE 'compression\_telemetry%' OR p.proname IN ('ensure_partition', 'settle_rejected', 'correct_labels'))
    UNION ALL
    SELECT 'SCHEMA public', acl.privilege_type
    FROM pg_namespace AS n, aclexplode(n.nspacl) AS acl
    WHERE n.nspname = 'public' AND acl.grantee = 0 AND acl.privilege_type = 'CREATE'
) AS granted
GROUP BY object
ORDER BY object
