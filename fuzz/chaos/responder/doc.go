// Package responder answers requests as their scripts say, see package script. It is what stands for
// the plant's MES in a campaign, in a process of its own, which is killed and stopped.
//
// It speaks MQTT 5 over a client that is made for this: no state but the last answers, packets read and written
// with the codec of mochi, writes gathered as long as another one is under way. When its connection ends it
// makes another one, until it is told to end. Requests that come with QoS 1 are acknowledged as soon as
// they were read, answers of QoS 1 are not sent again.
package responder
