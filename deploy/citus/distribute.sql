-- Makes a freshly migrated, empty database a Citus one, run on the coordinator
-- by its superuser. NOT run against Citus: what is ours in it was run on a plain
-- PostgreSQL with functions of Citus's names that record their calls.
--
-- Before: CREATE EXTENSION citus, SET citus.enable_create_role_propagation on
-- (the default), citus_add_node for each worker, then `migrate up`, so that
-- roles and grants reach the workers.
--
-- event_id spreads evenly and is in the primary key; vm_id is not, and a key
-- without the distribution column cannot be kept unique over shards.
-- Rejected rows, ledger and sequences stay on the coordinator: COPY, the merge
-- from a temporary table and the ledger's row are then one transaction over
-- several nodes, in two phases (max_prepared_transactions above 0 on workers).
-- Collectors connect to the coordinator. Whether ensure_partition works there
-- (LIKE, CHECK, ATTACH of a local table) and whether DETACH CONCURRENTLY does
-- is not known: make partitions ahead by CREATE TABLE … PARTITION OF, which Citus
-- documents, drop old ones by hand and give no maintenance::dsn.
\set ON_ERROR_STOP on
BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
DO $$
BEGIN
    IF EXISTS (SELECT FROM public.compression_telemetry) THEN
        RAISE EXCEPTION 'compression_telemetry holds rows: this is for a fresh database';
    END IF;
END
$$;
SELECT create_reference_table('public.compression_telemetry_forgotten');
SELECT create_distributed_table('public.compression_telemetry', 'event_id', colocate_with => 'none', shard_count => 32);
COMMIT;
