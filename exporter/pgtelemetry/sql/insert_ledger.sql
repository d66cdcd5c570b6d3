INSERT INTO public.compression_telemetry_batches
    (received, written, duplicate, conflict, rejected, candidates, newest, labels, rejected_by_reason, recorders)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
