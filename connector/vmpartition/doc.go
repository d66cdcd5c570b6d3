// Package vmpartition is a collector connector that stands before a Kafka
// exporter. It keeps decisions in a queue, splits each batch by VM into as many parts as
// the topic has partitions, and passes each part on with the message key that
// leads to its partition.
//
// All decisions of a VM get the same key, so that they stay in one partition, in the
// order in which they came: with num_consumers: 1 no part overtakes another. The key
// is made of the pseudonym and goes along as client metadata; neither decision nor
// resource get an attribute for it. A part is one message, whatever number
// of VMs it holds: a gateway takes the messages of a partition one after the other and waits
// for PostgreSQL each time, so few large ones are what makes it fast.
//
// What the exporter refuses is tried again, also what it refuses for good: an
// exporter's own queue would drop it, and a missing permission on the topic, say,
// is something that somebody mends. Parts that got through are not sent again.
//
// Its end waits two seconds for answers under way; a message without one is sent again
// after the next start.
//
// It never drops a decision, as long as max_elapsed_time is 0 and the queue is
// kept by durablequeue. The exporter behind it must have neither queue nor
// retry of its own: a part counts as passed on when the exporter says so.
package vmpartition

//go:generate go tool mdatagen metadata.yaml
