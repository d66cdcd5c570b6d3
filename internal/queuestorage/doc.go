// Package queuestorage is a storage between exporterhelper's persistent queue and
// file_storage, under which the queue loses nothing that it has acknowledged.
// Upstream's own code does in three situations:
//
//   - At a start it takes what was being written out of the store and puts it
//     back at the end, one by one. A kill in between, or a full disk, and it is
//     gone. Here the queue is made to begin again at the first of these instead.
//   - On a full disk it cannot note that it takes an item, and drops the item;
//     at a start it cannot read its notes, and begins an empty queue. Here what
//     could be read is used; the older notes on disk only mean that items come
//     again after a kill, and the table knows them.
//   - An item that it cannot read it deletes. Here that one stays where it is, and
//     the notes say that it was not done: the next start begins there.
//
// Sealed goes below it for queues of others: items are compressed, to a quarter or
// so, and one that the disk has damaged is told and kept, where upstream's queue
// would read it as something else, or delete it.
//
// It promises nothing for power loss: that is file_storage's fsync. Queues of before
// are read; a sealed one is read by Sealed only.
package queuestorage
