-- The last statement of a batch: it sees each tombstone that was committed before
-- it, so its answer says whether the batch went by the VMs that are forgotten by
-- now. Whoever forgets one waits for the transactions that wrote before that.
INSERT INTO public.compression_telemetry_batches
    (received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
RETURNING (SELECT concat_ws('/', count(*), sum(id), max(id)) FROM public.compression_telemetry_forgotten)
