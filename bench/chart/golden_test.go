package chart

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/*.svg anew: look at them")

// charts are as those of the page of benchmarks.
var charts = map[string]Chart{
	"latency": {
		Title: "Latency over rate, HTTP → MQTT → HTTP, 200 bytes",
		X:     Axis{Label: "requests a second, as offered", Log: true},
		Y:     Axis{Label: "from the intended start to the answer", Unit: "ms", Log: true},
		Series: []Series{
			{"p50", []Point{{1000, .41}, {2000, .4}, {4000, .45}, {8000, .62}, {12000, .9}, {16000, 3.8}, {20000, 340}}},
			{"p99", []Point{{1000, .95}, {2000, 1.02}, {4000, 1.4}, {8000, 2.6}, {12000, 6.3}, {16000, 41}, {20000, 890}}},
			{"p99.9", []Point{{1000, 1.8}, {2000, 2.2}, {4000, 3.4}, {8000, 7.1}, {12000, 22}, {16000, 120}, {20000, 980}}},
			{"max", []Point{{20000, 1010}, {1000, 3.1}, {2000, 4}, {4000, 9}, {8000, 14}, {12000, 60}, {16000, 310}}},
		},
	},
	"cost": {
		Title: "Cost of a transaction over held ones, random order",
		X:     Axis{Label: "transactions that are held meanwhile"},
		Y:     Axis{Label: "CPU time from begin to end", Unit: "ns"},
		Series: []Series{
			{"flowsync", []Point{{0, 53}, {100e3, 380}, {1e6, 740}}},
			{"map + mutex + channel + time.NewTimer", []Point{{0, 530}, {100e3, 1950}, {1e6, 3350}}},
			{"xsync.MapOf + time.AfterFunc", []Point{{0, 480}, {100e3, 830}, {1e6, 1390}}},
			{"sharded map + time.AfterFunc", []Point{{0, 385}, {100e3, 640}, {1e6, 1290}}},
			{"sync.Map", []Point{{0, 610}, {100e3, 1100}, {1e6, 2200}}},
			{"RussellLuo/timingwheel", []Point{{0, 290}, {100e3, 900}, {1e6, 1700}}},
			{"sharded map, no timer", []Point{{0, 62}, {100e3, 124}, {1e6, 365}}},
			{"Node-RED", []Point{{0, 2800}, {100e3, 2900}, {1e6, 3000}}},
		},
	},
	"memory": {
		Title: "Memory of held transactions",
		X:     Axis{Label: "held", Log: true},
		Y:     Axis{Label: "heap", Unit: "B", Log: true},
		Series: []Series{
			{"flowsync", []Point{{1e3, 72e3}, {1e4, 0.7e6}, {1e5, 6.6e6}, {1e6, 65e6}}},
			{"naive", []Point{{1e3, 460e3}, {1e4, 4.6e6}, {1e5, 46e6}, {1e6, 455e6}}},
		},
	},
	"point": {Title: "One point", X: Axis{Log: true}, Series: []Series{{"only <&>", []Point{{5, 0}}}}},
}

func TestGolden(t *testing.T) {
	for name, c := range charts {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, Line(&b, c))
			wellFormed(t, b.String())
			path := filepath.Join("testdata", name+".svg")
			if *update {
				require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String(), "if it is meant so: go test ./bench/chart -update, and look at it")
		})
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
	}
}
