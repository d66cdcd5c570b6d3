// Package dashboard serves a live page of how the collection of decisions
// stands, to people with a browser and to scripts.
//
// It promises:
//
//   - The database is read by one poller on one connection, however many look,
//     and not at all while nobody does. It reads what `dwcp-telemetry status`
//     reads, the load ledger and the catalog, in one read-only transaction with
//     a statement_timeout, and then rests twenty times as long as that took, or
//     half a minute. Nothing here scans the table of decisions.
//   - While the database or a collector is away the page stays, says so and since
//     when, keeps the last figures marked as old, and recovers by itself.
//   - A page that is slow to take what it is sent misses figures; nobody waits
//     for it.
//   - It can be read by GET and HEAD only, login apart. What it sends loads
//     nothing from another host, and no other site may frame it or, by a name it
//     was not told, reach it.
//   - Beyond loopback it does not start without a token.
//
// It never writes to the database, and shows and logs neither token, password
// nor connection string.
package dashboard
