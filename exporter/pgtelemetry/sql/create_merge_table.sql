-- One per connection, emptied by each commit: a temporary table made and
-- dropped per batch would bloat the catalog. With the constraints of the
-- parent as they were when the connection first needed it; connections live for
-- minutes.
CREATE TEMPORARY TABLE IF NOT EXISTS dwcp_merge
    (LIKE public.compression_telemetry INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
    ON COMMIT DELETE ROWS
