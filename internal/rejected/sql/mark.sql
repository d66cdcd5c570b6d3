-- Before they are sent: the exporter says of rows that bear this mark, and of no
-- others, that it rejected them again.
UPDATE public.compression_telemetry_rejected
SET replayed_at = clock_timestamp(), rejected_again_at = NULL
WHERE digest = ANY ($1) AND written_at IS NULL
