package channel

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/gopcua/opcua/ua"
)

// suite is what a policy is made of besides uapolicy's asymmetric algorithms: all have HMAC-SHA256
// with 32 byte keys, AES-CBC and P_SHA256 (OPC 10000-7).
type suite struct {
	aesKey int // bytes
}

const (
	macSize    = sha256.Size
	macKeySize = 32
)

// suiteOf knows the policies other than None that are spoken.
func suiteOf(policy string) (suite, bool) {
	switch policy {
	case ua.SecurityPolicyURIBasic256Sha256, ua.SecurityPolicyURIAes256Sha256RsaPss:
		return suite{aesKey: 32}, true
	case ua.SecurityPolicyURIAes128Sha256RsaOaep:
		return suite{aesKey: 16}, true
	}
	return suite{}, false
}

// keys protect what goes in one direction with one token. uapolicy.Symmetric does the same, but
// makes its cipher and its MAC anew for each chunk, and copies it twice. Not for two goroutines.
type keys struct {
	encrypt bool
	mac     hash.Hash
	iv      []byte
	seal    chainer
	open    chainer
	sum     [macSize]byte
}

// chainer is a CBC whose chain can be begun again: each chunk begins with the token's IV.
type chainer interface {
	cipher.BlockMode
	SetIV([]byte)
}

// deriveKeys makes the keys of one direction: those that the client protects with come from the
// server's nonce as secret and its own as seed, and the other way round (OPC 10000-6, 6.7.5).
func (s suite) deriveKeys(secret, seed []byte, encrypt bool) (*keys, error) {
	material := pSHA256(secret, seed, macKeySize+s.aesKey+aes.BlockSize)
	block, err := aes.NewCipher(material[macKeySize : macKeySize+s.aesKey])
	if err != nil {
		return nil, err
	}
	k := &keys{encrypt: encrypt, mac: hmac.New(sha256.New, material[:macKeySize]), iv: material[macKeySize+s.aesKey:]}
	k.seal = cipher.NewCBCEncrypter(block, k.iv).(chainer) // crypto/tls relies on SetIV as well
	k.open = cipher.NewCBCDecrypter(block, k.iv).(chainer)
	return k, nil
}

// pSHA256 is P_SHA256 of RFC 5246, section 5.
func pSHA256(secret, seed []byte, size int) []byte {
	mac := hmac.New(sha256.New, secret)
	sum := func(parts ...[]byte) []byte {
		mac.Reset()
		for _, p := range parts {
			mac.Write(p)
		}
		return mac.Sum(nil)
	}
	var out []byte
	for a := sum(seed); len(out) < size; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:size]
}

// room is how many bytes of a body fit into a chunk of size bytes.
func (k *keys) room(size int) int {
	switch {
	case k == nil:
		return size - bodyStart
	case !k.encrypt:
		return size - bodyStart - macSize
	}
	encrypted := (size - chunkStart) / aes.BlockSize * aes.BlockSize
	return encrypted - (bodyStart - chunkStart) - 1 - macSize
}

// protect turns out[start:], a chunk without padding and signature, into what goes to the wire,
// and sets the size in its header. k may be nil.
func (k *keys) protect(out []byte, start int) []byte {
	if k == nil {
		binary.LittleEndian.PutUint32(out[start+4:], uint32(len(out)-start))
		return out
	}
	if k.encrypt {
		pad := aes.BlockSize - 1 - (len(out)-start-chunkStart+macSize)%aes.BlockSize
		for range pad + 1 { // the padding's size, and as many bytes of the same value
			out = append(out, byte(pad))
		}
	}
	binary.LittleEndian.PutUint32(out[start+4:], uint32(len(out)-start+macSize))
	out = append(out, k.sign(out[start:])...)
	if k.encrypt {
		k.seal.SetIV(k.iv)
		k.seal.CryptBlocks(out[start+chunkStart:], out[start+chunkStart:])
	}
	return out
}

// unprotect checks a chunk and decrypts it in place; it returns the chunk without padding and
// signature, at least bodyStart bytes. k may be nil.
func (k *keys) unprotect(b []byte) ([]byte, error) {
	if k == nil {
		if len(b) < bodyStart {
			return nil, refuse(ua.StatusBadDecodingError, "a chunk of %d bytes", len(b))
		}
		return b, nil
	}
	if k.encrypt {
		if (len(b)-chunkStart)%aes.BlockSize != 0 {
			return nil, insecure("%d encrypted bytes are no whole blocks", len(b)-chunkStart)
		}
		k.open.SetIV(k.iv)
		k.open.CryptBlocks(b[chunkStart:], b[chunkStart:])
	}
	end := len(b) - macSize
	if end < bodyStart {
		return nil, insecure("a chunk of %d bytes has no room for a signature", len(b))
	}
	if !hmac.Equal(k.sign(b[:end]), b[end:]) {
		return nil, insecure("the signature of a message is wrong")
	}
	if k.encrypt {
		if end -= int(b[end-1]) + 1; end < bodyStart {
			return nil, insecure("more padding than message")
		}
	}
	return b[:end], nil
}

func (k *keys) sign(b []byte) []byte {
	k.mac.Reset()
	k.mac.Write(b)
	return k.mac.Sum(k.sum[:0])
}
