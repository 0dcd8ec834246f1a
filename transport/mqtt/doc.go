// Package mqtt carries requests and answers over MQTT 5.
package mqtt
