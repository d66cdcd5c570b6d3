-- Makes the logins of an installation and gives each its role, after `dwcp-telemetry
-- migrate up`, as the owner of the database; again whenever a password changes:
--
--     psql --no-psqlrc --set secrets=/etc/dwcp/secrets --file deploy/logins.sql
--
-- The folder holds a password file per login, as libpq reads it (PGPASSFILE):
-- collector.pgpass, keeper.pgpass, scientist.pgpass, each one line
--
--     *:*:telemetry:collector:PASSWORD
--
-- with a password of 16 characters or more without ':' and '\'. It becomes neither an
-- argument nor an environment variable, and not a line of the server's log.
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\set collector `cut -d: -f5 :'secrets'/collector.pgpass`
\set keeper    `cut -d: -f5 :'secrets'/keeper.pgpass`
\set scientist `cut -d: -f5 :'secrets'/scientist.pgpass`

BEGIN;
SET LOCAL log_statement = 'none';
SET LOCAL log_min_duration_statement = -1;
SET LOCAL log_min_error_statement = 'panic';

SELECT format('DO $do$ BEGIN RAISE EXCEPTION %L; END $do$', 'no password of 16 characters or more for the login ' || login)
FROM (VALUES ('collector', :'collector'), ('keeper', :'keeper'), ('scientist', :'scientist')) AS logins (login, password)
WHERE length(password) < 16
\gexec

SELECT format('CREATE ROLE %I', login)
FROM (VALUES ('collector'), ('keeper'), ('scientist')) AS logins (login)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login)
\gexec

ALTER ROLE collector LOGIN PASSWORD :'collector';
ALTER ROLE keeper LOGIN PASSWORD :'keeper';
ALTER ROLE scientist LOGIN PASSWORD :'scientist';

GRANT dwcp_writer TO collector;
GRANT dwcp_maintainer TO keeper;
GRANT dwcp_ml_reader TO scientist;
COMMIT;
\echo collector writes, keeper keeps the retention, scientist reads
