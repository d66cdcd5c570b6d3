-- +goose Up
-- Whoever runs a collector or keeps the retention wants to see whether the schema
-- is the program's. The table that goose keeps holds numbers and times, no more.
GRANT SELECT ON goose_db_version TO dwcp_writer, dwcp_maintainer;

-- +goose Down
REVOKE SELECT ON goose_db_version FROM dwcp_writer, dwcp_maintainer;
