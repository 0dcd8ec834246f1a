package script_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/script"
)

func TestMarkers(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range script.All() {
		require.Equal(t, s, script.Of(script.Marker(77, s)))
		require.NotContains(t, seen, s.String())
		seen[s.String()] = true
	}
	require.Contains(t, seen, "past")
	require.Equal(t, script.Echo, script.Of(script.Marker(1, 200)))
	require.Equal(t, "script(200)", script.Script(200).String())
	require.NotEqual(t, script.Marker(1, script.Echo), script.Marker(2, script.Echo))
}
