// Package kafkatest runs Kafka for tests: brokers of the published jars, pinned to
// the byte, on the machine's Java, each with its own folder and free ports.
//
// Brokers can be killed and started again. They end with the test, and with its
// process, however that ends. Where Java or Maven is missing a test is skipped and says so; where CI is
// set it fails. Nothing is fetched twice, nor run before it is verified.
package kafkatest
