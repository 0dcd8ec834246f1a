package channel

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/stretchr/testify/require"
)

// TestKeysAgainstOracle: what gopcua's algorithms make of the same nonces.
func TestKeysAgainstOracle(t *testing.T) {
	ours, theirs := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	for _, policy := range []string{ua.SecurityPolicyURIBasic256Sha256, ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.SecurityPolicyURIAes256Sha256RsaPss} {
		client, err := uapolicy.Symmetric(policy, theirs, ours)
		require.NoError(t, err)
		s, ok := suiteOf(policy)
		require.True(t, ok)
		in, err := s.deriveKeys(ours, theirs, true)
		require.NoError(t, err)
		out, err := s.deriveKeys(theirs, ours, true)
		require.NoError(t, err)
		for n := range 100 {
			plain := []byte("MSGF....channel.tokn" + strings.Repeat("x", n+4+bodyStart-chunkStart))[:bodyStart+n]
			b := out.protect(bytes.Clone(plain), 0)
			decrypted, err := client.Decrypt(b[chunkStart:])
			require.NoError(t, err)
			signed := append(bytes.Clone(b[:chunkStart]), decrypted[:len(decrypted)-macSize]...)
			require.NoError(t, client.VerifySignature(signed, decrypted[len(decrypted)-macSize:]))

			// The other way: the client's padding, signature and encryption.
			pad := 15 - (len(plain)-chunkStart+macSize)%16
			message := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad+1)...)
			signature, err := client.Signature(message)
			require.NoError(t, err)
			encrypted, err := client.Encrypt(append(message, signature...)[chunkStart:])
			require.NoError(t, err)
			got, err := in.unprotect(append(bytes.Clone(plain[:chunkStart]), encrypted...))
			require.NoError(t, err)
			require.Equal(t, plain, got)
		}
	}
}

// TestSendingAllocatesNothing per message, whatever the policy.
func TestSendingAllocatesNothing(t *testing.T) {
	for _, s := range benchmarked {
		w := writer{c: openOn(t, sink{}, newEcho(), s.policy, s.mode)}
		i := item{kind: itemMessage, request: 1, body: make([]byte, benchBody)}
		w.buf = make([]byte, 0, 2*flushSize)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			_ = w.put(&i, w.c.out.using)
			_ = w.flush()
		}), securityName(s.policy, s.mode))
	}
}
