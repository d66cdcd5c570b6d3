-- The state of the set of VMs whose decisions are refused, which changes with
-- every change of it, and the set. insert_ledger.sql returns the same state.
SELECT concat_ws('/', count(*), sum(id), max(id)),
       coalesce(array_agg(vm_id::text ORDER BY id), '{}'),
       coalesce(array_agg(until ORDER BY id), '{}')
FROM public.compression_telemetry_forgotten
