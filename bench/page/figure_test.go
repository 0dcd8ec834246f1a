package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7},
		{[]float64{9, 1}, 5},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 9, 1, 2}, 3},
		{[]float64{100, 1, 3, 2, 2}, 2},
	} {
		require.Equal(t, c.want, median(c.values), c.values)
	}
}

func TestDigits(t *testing.T) {
	for want, v := range map[string]float64{
		"0": 0, "0.128": 0.12834, "0.00123": 0.001234, "1": 1, "1.23": 1.2345, "53": 53, "53.3": 53.27,
		"999": 999.4, "1000": 999.6, "1230": 1234, "104\u00a0000": 104_097, "1\u00a0230\u00a0000": 1_234_567,
		"-2.5": -2.5, "-20\u00a0000": -20_000, "NaN": math.NaN(), "+Inf": math.Inf(1),
	} {
		require.Equal(t, want, digits(v))
	}
}

func TestInBytes(t *testing.T) {
	for want, v := range map[string]float64{
		"64\u00a0B": 64, "1\u00a0KiB": 1024, "1.5\u00a0MiB": 1.5 * (1 << 20), "2\u00a0GiB": 2 << 30,
	} {
		require.Equal(t, want, inBytes(v))
	}
}

func TestCombine(t *testing.T) {
	divide := func(a, b float64) float64 { return a / b }
	f, err := combine(divide, newFigure([]float64{1, 8, 3}), newFigure([]float64{10, 10, 20}))
	require.NoError(t, err)
	require.Equal(t, figure{0.3, []float64{0.1, 0.8, 0.15}}, f)
	require.Equal(t, "0.1 to 0.8", f.span())
	require.Equal(t, figure{mid: 0.8}, f.worst())
	require.InDelta(t, 0.7/0.3, f.spread(), 1e-9)

	f, err = combine(divide, newFigure([]float64{1, 8, 3}), 2)
	require.NoError(t, err)
	require.Equal(t, figure{1.5, []float64{0.5, 4, 1.5}}, f, "a number is the same in every round")

	f, err = combine(divide, 3, 2.0)
	require.NoError(t, err)
	require.Equal(t, figure{mid: 1.5}, f)
	require.Equal(t, "1.5", f.span())
	require.Equal(t, f, f.worst())
	require.Zero(t, f.spread())

	_, err = combine(divide, "3", 2)
	require.ErrorContains(t, err, "string")
	_, err = combine(divide, 3, nil)
	require.ErrorContains(t, err, "nil")
}
