package guard_test

import (
	"bytes"
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

// TestEveryLengthIsNeeded cuts requests at each byte: what is left is always refused.
func TestEveryLengthIsNeeded(t *testing.T) {
	g := guard.New(guard.Limits{})
	for _, v := range requests() {
		for seed := range uint64(3) {
			body := encode(t, newGenerator(seed).request(v))
			for n := range body {
				refused(t, g, body[:n:n])
			}
		}
	}
}

// TestWhatPassesCanBeDecoded changes bytes of good requests at random.
func TestWhatPassesCanBeDecoded(t *testing.T) {
	g := guard.New(guard.Limits{})
	passed := 0
	for _, v := range requests() {
		for seed := range uint64(40) {
			random := newGenerator(seed)
			body := encode(t, random.request(v))
			for range 20 {
				changed := bytes.Clone(body)
				for range 1 + random.IntN(3) {
					changed[random.IntN(len(changed))] = byte(random.Uint32() >> random.IntN(32))
				}
				if g.Request(changed) != nil {
					continue
				}
				passed++
				_, _, err := ua.DecodeService(changed)
				require.NoError(t, err, "%T, seed %d", v, seed)
			}
		}
	}
	require.Greater(t, passed, 1000)
}

// TestPassingDoesNotAllocate: what is good, which is nearly everything, costs no memory.
func TestPassingDoesNotAllocate(t *testing.T) {
	g := guard.New(guard.Limits{})
	for _, v := range requests() {
		for seed := range uint64(10) {
			body := encode(t, newGenerator(seed).request(v))
			require.Zero(t, testing.AllocsPerRun(10, func() {
				if err := g.Request(body); err != nil {
					panic(err)
				}
			}), "%T", v)
		}
	}
}

// BenchmarkRequest compares looking with decoding.
func BenchmarkRequest(b *testing.B) {
	g := guard.New(guard.Limits{})
	call := &ua.CallMethodRequest{ObjectID: ua.NewNumericNodeID(1, 7), MethodID: ua.NewStringNodeID(1, "line/order"),
		InputArguments: []*ua.Variant{ua.MustVariant("4711"), ua.MustVariant(int32(3)), ua.MustVariant([]float64{1, 2, 3})}}
	body := encode(b, &ua.CallRequest{RequestHeader: header(), MethodsToCall: []*ua.CallMethodRequest{call}})
	b.Run("guard", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := g.Request(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("codec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := ua.DecodeService(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
