package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core/idempotency"
)

// sum puts the right checksum behind a record.
func sum(body []byte) []byte {
	return binary.BigEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, castagnoli))
}

func TestDecodeFaults(t *testing.T) {
	r := record("k")
	r.Message = []byte("m")
	whole := encode(r)
	body := whole[:len(whole)-crc32.Size]
	got, err := decode(whole)
	require.NoError(t, err)
	require.Equal(t, r, got)
	for n := range whole {
		_, err := decode(whole[:n])
		require.Error(t, err, n)
		if n > 0 && n < len(body) {
			_, err = decode(sum(whole[:n]))
			require.ErrorIs(t, err, errShort, n)
		}
		flipped := bytes.Clone(whole)
		flipped[n] ^= 4
		_, err = decode(flipped)
		require.Error(t, err, n)
	}
	_, err = decode(sum(append(bytes.Clone(body), 0)))
	require.ErrorIs(t, err, errLong)
	mark := bytes.Clone(body)
	mark[len(mark)-3] = 2
	_, err = decode(sum(mark))
	require.ErrorIs(t, err, errMessage)
	_, err = decode(sum(append([]byte{version}, bytes.Repeat([]byte{0xff}, 20)...)))
	require.ErrorIs(t, err, errShort, "a length that is too large")
	_, err = decode(sum(append([]byte{version, body[1] | 0x80, 0}, body[2:]...)))
	require.ErrorIs(t, err, errLength)
	_, err = decode([]byte("\x02longer"))
	require.EqualError(t, err, "it has format 2, this flowsync knows format 1")
}

func TestPlaces(t *testing.T) {
	seen := map[place]bool{}
	for _, p := range [][3]string{{"a", "b", "c"}, {"ab", "", "c"}, {"a", "bc", ""}, {"", "", "abc"}, {"", "", ""}} {
		seen[placeOf(p[0], p[1], p[2])] = true
	}
	require.Len(t, seen, 5)
}

// FuzzRecord: what is written is read again as it was; whatever is read is written again as it
// was, or refused.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("\x01"), "n", "u", "k", int64(0), []byte("m"), true)
	f.Add(encode(record("k")), "", "", "", int64(-1), []byte(nil), false)
	f.Add([]byte("\x02"), "\xff", "\x00", "k", int64(1)<<62, []byte{}, true)
	f.Fuzz(func(t *testing.T, text []byte, node, user, key string, until int64, message []byte, answered bool) {
		r := &idempotency.Record{Node: node, User: user, Key: key, Until: time.Unix(0, until)}
		copy(r.Identity[:], text)
		copy(r.ID[:], message)
		if answered {
			r.Message = append([]byte{}, message...)
		}
		got, err := decode(encode(r))
		require.NoError(t, err)
		require.Equal(t, r, got)
		for _, b := range [][]byte{text, sum(text), sum(append([]byte{version}, text...))} {
			if got, err := decode(b); err == nil {
				require.Equal(t, b, encode(got))
			}
		}
	})
}
