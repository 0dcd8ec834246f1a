package guard_test

import (
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// TestEveryServicePasses sends requests with random contents through guard and codec.
func TestEveryServicePasses(t *testing.T) {
	g := guard.New(guard.Limits{})
	for _, v := range requests() {
		t.Run(nameOf(v), func(t *testing.T) {
			for seed := range uint64(200) {
				want := newGenerator(seed).request(v)
				body := encode(t, want)
				require.NoError(t, g.Request(body), "seed %d", seed)
				_, got, err := ua.DecodeService(body)
				require.NoError(t, err)
				require.Equal(t, want, got, "seed %d", seed)
			}
		})
	}
}
