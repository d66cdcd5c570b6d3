-- +goose Up
-- DETACH CONCURRENTLY and DROP need ownership, and the former runs in no
-- function. So a maintainer may become the owner, by SET ROLE and in no other
-- way: NOINHERIT keeps what it does by mistake to what it is granted itself.
-- From PostgreSQL 16 on it is the grant that inherits or not; it takes that from
-- the role as the role is at that moment.
--
-- Roles are the cluster's: another database's migration may be doing the same
-- at this moment, and PostgreSQL lets only one of them change a role.
-- +goose StatementBegin
DO $$
BEGIN
    FOR attempt IN 1..20 LOOP
        EXIT WHEN pg_has_role('dwcp_maintainer', 'dwcp_owner', 'MEMBER');
        BEGIN
            ALTER ROLE dwcp_maintainer NOINHERIT;
            GRANT dwcp_owner TO dwcp_maintainer;
        EXCEPTION WHEN internal_error OR unique_violation THEN
            IF attempt = 20 THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
END
$$;
-- +goose StatementEnd

-- +goose Down
-- The membership stays: other databases of the cluster may use it.
SELECT 1;
