package frame

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestRead(t *testing.T) {
	long := append([]byte{0x30, 0x80, 0x01}, bytes.Repeat([]byte{'x'}, 128)...)
	in := bufio.NewReader(iotest.OneByteReader(io.MultiReader(strings.NewReader("\xc0\x00"), bytes.NewReader(long))))
	raw, err := Read(in, 1000)
	require.NoError(t, err)
	require.Equal(t, []byte{0xc0, 0}, raw)
	raw, err = Read(in, 1000)
	require.NoError(t, err)
	require.Equal(t, long, raw)
	_, err = Read(in, 1000)
	require.Equal(t, io.EOF, err)
}

func TestReadFails(t *testing.T) {
	for _, c := range []struct {
		name, in    string
		got, length int // of a partial packet
		want        error
	}{
		{"too large", "\x30\x05hello", 0, 0, ErrTooLarge},
		{"too large a number", "\x30\xff\xff\xff\xff\x01", 0, 0, nil},
		{"no length", "\x30", 1, 0, io.EOF},
		{"half a length", "\x30\x80", 2, 0, io.EOF},
		{"no body", "\x30\x04", 2, 6, io.EOF},
		{"half a body", "\x30\x04he", 4, 6, io.ErrUnexpectedEOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(bufio.NewReader(strings.NewReader(c.in)), 6)
			require.Error(t, err)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			}
			var partial *PartialError
			if c.got == 0 {
				require.NotErrorAs(t, err, &partial)
				return
			}
			require.ErrorAs(t, err, &partial)
			require.Equal(t, c.in[:c.got], string(partial.Got))
			require.Equal(t, c.length, partial.Length)
			require.Contains(t, err.Error(), "in the middle")
		})
	}
}
