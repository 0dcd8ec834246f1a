package core

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHexAgainstEncodingHex: each of the 256 bytes at each place of eight, and random numbers.
func TestHexAgainstEncodingHex(t *testing.T) {
	var want [4]byte
	for c := range 256 {
		for at := range 8 {
			text := []byte("09afAF5b")
			text[at] = byte(c)
			_, err := hex.Decode(want[:], text)
			got, wrong := fromHex(binary.BigEndian.Uint64(text))
			require.Equal(t, err == nil, wrong == 0, "%q", text)
			if err == nil {
				require.Equal(t, binary.BigEndian.Uint32(want[:]), got, "%q", text)
			}
		}
	}
	for range 10_000 {
		v := rand.Uint32()
		binary.BigEndian.PutUint32(want[:], v)
		text := binary.BigEndian.AppendUint64(nil, toHex(v))
		require.Equal(t, hex.EncodeToString(want[:]), string(text))
	}
}
