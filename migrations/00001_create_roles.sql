-- +goose Up
-- Roles are the cluster's, not the database's: another database of the same
-- cluster may have made them, perhaps at this very moment. NOLOGIN: an
-- installation grants them to logins of its own.
-- +goose StatementBegin
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['dwcp_owner', 'dwcp_writer', 'dwcp_maintainer', 'dwcp_ml_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- made by another database's migration meanwhile
            END;
        END IF;
    END LOOP;
    -- Tables and the SECURITY DEFINER function shall belong to dwcp_owner, so
    -- whoever migrates must be able to act as it. A superuser always is; from
    -- PostgreSQL 16 on, making a role gives its maker the right to grant it only.
    IF NOT pg_has_role(current_user, 'dwcp_owner', 'USAGE') THEN
        EXECUTE format('GRANT dwcp_owner TO %I', current_user);
    END IF;
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO dwcp_writer', current_database());
END
$$;
-- +goose StatementEnd
GRANT USAGE, CREATE ON SCHEMA public TO dwcp_owner;
GRANT USAGE ON SCHEMA public TO dwcp_writer, dwcp_maintainer, dwcp_ml_reader;

-- +goose Down
REVOKE ALL ON SCHEMA public FROM dwcp_owner, dwcp_writer, dwcp_maintainer, dwcp_ml_reader;
-- The roles stay: other databases of the cluster may use them.
