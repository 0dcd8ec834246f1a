// Package tap is a TCP proxy between the gateway and its broker that understands MQTT's framing:
// it tells of every packet before it forwards it, and does what a bad network does.
package tap
