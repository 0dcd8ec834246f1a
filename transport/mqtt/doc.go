// Package mqtt carries requests and answers over an external MQTT 5 broker.
//
// [Dial] checks the options, [Bus.Start] connects; a [Bus] is a core.Bus, core.Binder and
// core.Attacher. [Bus.PublishMessage] and [Bus.Subscribe] carry everything else: what
// mappings, receiving and providing nodes read and write.
package mqtt
