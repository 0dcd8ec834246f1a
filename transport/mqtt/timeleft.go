package mqtt

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// A request says how much time is left for it when it is handed to the socket. It is encoded when
// it is accepted; what waits after that, for the writer, for the window, for a connection, has the
// time corrected just before it leaves.

// noticeable is how long a request may have waited before its time is corrected: the property
// counts in ms.
const noticeable = time.Millisecond

// appendTimeLeft appends the two properties that tell the time: Message Expiry to the broker,
// flowsync-timeout-ms to the responder.
func appendTimeLeft(dst []byte, left time.Duration) []byte {
	dst = append(dst, packets.PropMessageExpiry)
	dst = binary.BigEndian.AppendUint32(dst, expirySeconds(left))
	dst = append(dst, packets.PropUser)
	dst = appendString(dst, timeoutProperty)
	dst = append(dst, 0, 0)
	digits := len(dst)
	dst = strconv.AppendInt(dst, expiryMillis(left), 10)
	dst[digits-1] = byte(len(dst) - digits)
	return dst
}

// timeLeftSize is the size of what appendTimeLeft appends, but for the digits.
const timeLeftSize = 1 + 4 + 1 + 2 + len(timeoutProperty) + 2

// setTimeLeft writes a whole request packet once more to dst, which may begin at the packet or
// before it, with the time that is left now, and returns its size. Time only passes, so the packet
// may get shorter, by digits, and then by those of its lengths; it never grows.
func setTimeLeft(dst, packet []byte, left time.Duration) int {
	length, n := readLength(packet[1:])
	body := 1 + n
	properties := body + 2 + int(binary.BigEndian.Uint16(packet[body:]))
	if packet[0]&6 != 0 { // QoS 1 or 2
		properties += 2
	}
	size, n := readLength(packet[properties:])
	first := properties + n
	digits := first + timeLeftSize
	rest := digits + int(binary.BigEndian.Uint16(packet[digits-2:]))

	var buf [64]byte
	now := appendTimeLeft(buf[:0], left)
	saved := rest - first - len(now)
	if saved <= 0 { // as many digits as before, or it says that there is more time than there was
		if saved == 0 {
			copy(packet[first:], now)
		}
		return copy(dst, packet)
	}
	size -= saved
	length -= saved + n - lengthSize(size)
	out := append(dst[:0], packet[0])
	out = appendLength(out, length)
	out = append(out, packet[body:properties]...)
	out = appendLength(out, size)
	out = append(out, now...)
	return len(append(out, packet[rest:]...))
}

// readLength reads a variable byte integer that we have written (MQTT 5 §1.5.5).
func readLength(p []byte) (n, size int) {
	for ; ; size++ {
		n |= int(p[size]&0x7f) << (7 * size)
		if p[size]&0x80 == 0 {
			return n, size + 1
		}
	}
}

func lengthSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}
