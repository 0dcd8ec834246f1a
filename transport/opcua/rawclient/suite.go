package rawclient

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// suite is how chunks are protected: by the two RSA keys in OPN messages, by the keys of a token
// in others.
type suite struct {
	*uapolicy.EncryptionAlgorithm
	sign, encrypt bool
}

// token is one set of keys.
type token struct {
	suite
	channel, id uint32
	lifetime    time.Duration // as the server revised it
}

func newAsymmetric(o *Options) (*suite, error) {
	if o.Mode == ua.MessageSecurityModeNone {
		a, err := uapolicy.Asymmetric(ua.SecurityPolicyURINone, nil, nil)
		return &suite{EncryptionAlgorithm: a}, err
	}
	public, err := uapolicy.PublicKey(o.ServerCertificate)
	if err != nil {
		return nil, fmt.Errorf("rawclient: the server's certificate: %w", err)
	}
	a, err := uapolicy.Asymmetric(o.Policy, o.Key, public)
	if err != nil {
		return nil, fmt.Errorf("rawclient: %w", err)
	}
	return &suite{EncryptionAlgorithm: a, sign: true, encrypt: true}, nil
}

func newSymmetric(o *Options, local, remote []byte) (suite, error) {
	a, err := uapolicy.Symmetric(o.Policy, local, remote)
	if err != nil {
		return suite{}, fmt.Errorf("rawclient: keys of a token: %w", err)
	}
	return suite{
		EncryptionAlgorithm: a,
		sign:                o.Mode != ua.MessageSecurityModeNone,
		encrypt:             o.Mode == ua.MessageSecurityModeSignAndEncrypt,
	}, nil
}

// longKey: with keys of more than 2048 bits the length of the padding has a second byte.
const longKey = 256

// room returns how many bytes of body fit into a chunk of a size; header is everything before
// the sequence header (OPC 10000-6, 6.7.2).
func (s *suite) room(size, header int) int {
	n := size - header
	if s.encrypt {
		n = n/s.BlockSize()*s.PlaintextBlockSize() - 1
		if s.BlockSize() > longKey {
			n--
		}
	}
	if s.sign {
		n -= s.SignatureLength()
	}
	return n - sequenceSize
}

// seal finishes the chunk that begins at start, and whose part to encrypt begins at secret.
func (s *suite) seal(dst []byte, start, secret int) ([]byte, error) {
	if !s.sign {
		putSize(dst[start:], len(dst)-start)
		return dst, nil
	}
	size := len(dst) - secret + s.SignatureLength()
	if s.encrypt {
		dst = s.pad(dst, secret)
		size = (len(dst) - secret + s.SignatureLength()) / s.PlaintextBlockSize() * s.BlockSize()
	}
	putSize(dst[start:], secret-start+size)
	signature, err := s.Signature(dst[start:])
	if err != nil {
		return nil, fmt.Errorf("rawclient: signing: %w", err)
	}
	dst = append(dst, signature...)
	if s.encrypt {
		c, err := s.Encrypt(dst[secret:])
		if err != nil {
			return nil, fmt.Errorf("rawclient: encrypting: %w", err)
		}
		dst = append(dst[:secret], c...)
	}
	return dst, nil
}

// pad appends the padding that makes the part to encrypt, with its signature, whole blocks.
func (s *suite) pad(dst []byte, secret int) []byte {
	lengths := 1
	if s.BlockSize() > longKey {
		lengths = 2
	}
	block := s.PlaintextBlockSize()
	n := block - 1 - (len(dst)-secret+lengths+s.SignatureLength()+block-1)%block
	for range n + 1 {
		dst = append(dst, byte(n))
	}
	if lengths == 2 {
		dst = append(dst, byte(n>>8))
	}
	return dst
}

var errChunk = errors.New("rawclient: a chunk that is too short")

// unseal returns what is between the security header, which ends at secret, and the padding.
func (s *suite) unseal(chunk []byte, secret int) ([]byte, error) {
	if s.encrypt {
		p, err := s.Decrypt(chunk[secret:])
		if err != nil {
			return nil, fmt.Errorf("rawclient: decrypting: %w", err)
		}
		chunk = append(chunk[:secret:secret], p...)
	}
	if !s.sign {
		return chunk[secret:], nil
	}
	end := len(chunk) - s.RemoteSignatureLength()
	if end < secret {
		return nil, errChunk
	}
	if err := s.VerifySignature(chunk[:end], chunk[end:]); err != nil {
		return nil, fmt.Errorf("rawclient: wrong signature: %w", err)
	}
	if s.encrypt {
		if end -= s.padding(chunk[:end]); end < secret {
			return nil, errChunk
		}
	}
	return chunk[secret:end], nil
}

// padding returns how long the padding at the end is, with its lengths. What is received is
// encrypted with the client's own key.
func (s *suite) padding(b []byte) int {
	if s.SignatureLength() > longKey {
		return int(binary.LittleEndian.Uint16(b[len(b)-2:])) + 2
	}
	return int(b[len(b)-1]) + 1
}
