package embedded

import (
	"math"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// receiveMaximum is how many messages of QoS 2 a client may send before he releases some. He is
// told in CONNACK.
const receiveMaximum = 1024

// unreleased is who those are, by packet id. It takes the place of the broker's own count
// (mochi-mqtt v2.7.9), which each PUBREC from a client reduces as if he had published: a responder
// that received more than 1024 requests of QoS 2 at once was disconnected for his first answer.
// It is of the goroutine that reads the client.
type unreleased map[uint16]struct{}

// count is told of each packet from the client. False: there are too many.
func (u *unreleased) count(pk *packets.Packet) bool {
	switch {
	case pk.FixedHeader.Type == packets.Pubrel:
		delete(*u, pk.PacketID)
	case pk.FixedHeader.Type == packets.Publish && pk.FixedHeader.Qos == 2:
		if *u == nil {
			*u = unreleased{}
		}
		(*u)[pk.PacketID] = struct{}{}
	}
	return len(*u) <= receiveMaximum
}

// freeQuota makes the broker's own count never run out. It is called after a session was
// inherited, with a count of its own, and before the first packet is read.
func freeQuota(cl *broker.Client) { cl.State.Inflight.ResetReceiveQuota(math.MaxInt32) }
