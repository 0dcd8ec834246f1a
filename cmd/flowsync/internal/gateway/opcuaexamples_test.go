package gateway

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// TestOPCUAExamples: the examples answer by themselves what a press asks.
func TestOPCUAExamples(t *testing.T) {
	type call struct {
		arguments []any
		want      []any
	}
	for name, calls := range map[string][]call{
		"quickstart": {
			{[]any{int32(4711)}, []any{int32(4711), true}},
			{[]any{int32(666)}, []any{int32(666), false}},
		},
		"opcua": {
			{[]any{"4711", int32(5)}, []any{true, ""}},
			{[]any{"4711", int32(101)}, []any{false, "more than 100 pieces"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("..", "..", "examples", name+".yaml"))
			require.NoError(t, err)
			s := settings(&logBuffer{})
			s.State = t.TempDir()
			g, err := Open(context.Background(), load(t, string(file)), s)
			require.NoError(t, err)
			m := (&rig{Gateway: g, t: t}).machine(t)
			for _, c := range calls {
				result := m.call("MayStart", c.arguments...)
				require.Equal(t, ua.StatusOK, result.StatusCode)
				var got []any
				for _, output := range result.OutputArguments {
					got = append(got, output.Value())
				}
				require.Equal(t, c.want, got)
			}
			require.Equal(t, ua.StatusOK, m.write("Recipe", "R7"))
			require.Equal(t, "R7", m.read("Recipe").Value.Value())
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			require.NoError(t, g.Shutdown(ctx))
		})
	}
}
