// Package broker is a small MQTT broker that does what a script says, for tests of what brokers do
// rarely: refuse, forget, take over, stay silent, run out of quota.
package broker
