package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
)

// A record is written as
//
//	1  version
//	…  node, user, key: length (uvarint) and text, each
//	32 identity
//	16 id
//	8  until, Unix time in ns, big-endian
//	1  1 if there is a message, which follows as length and text; 0 if not
//	4  CRC-32C of all before, big-endian
//
// under the hash of node, user and key, which is short whatever they are.
const version = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errShort    = errors.New("it ends too early")
	errLong     = errors.New("there is more than a record")
	errChecksum = errors.New("its checksum is wrong")
	errMessage  = errors.New("its mark of a message is neither 0 nor 1")
	errLength   = errors.New("a length in it is written with more bytes than it needs")
)

// versionError is a record that another version of flowsync has written.
type versionError byte

func (v versionError) Error() string {
	return fmt.Sprintf("it has format %d, this flowsync knows format %d", byte(v), version)
}

type place [sha256.Size]byte

func placeOf(node, user, key string) place {
	text := appendText(appendText(appendText(nil, node), user), key)
	return sha256.Sum256(text)
}

func appendText[T string | []byte](dst []byte, text T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

func encode(r *idempotency.Record) []byte {
	b := make([]byte, 0, 96+len(r.Node)+len(r.User)+len(r.Key)+len(r.Message))
	b = append(b, version)
	b = appendText(appendText(appendText(b, r.Node), r.User), r.Key)
	b = append(append(b, r.Identity[:]...), r.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Until.UnixNano()))
	if r.Message == nil {
		b = append(b, 0)
	} else {
		b = appendText(append(b, 1), r.Message)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decode reads a record, which aliases nothing of b.
func decode(b []byte) (*idempotency.Record, error) {
	if len(b) < 1+crc32.Size {
		return nil, errShort
	}
	if b[0] != version {
		return nil, versionError(b[0])
	}
	body := b[:len(b)-crc32.Size]
	if binary.BigEndian.Uint32(b[len(body):]) != crc32.Checksum(body, castagnoli) {
		return nil, errChecksum
	}
	r := reader{rest: body[1:]}
	record := &idempotency.Record{Node: string(r.text()), User: string(r.text()), Key: string(r.text())}
	copy(record.Identity[:], r.take(len(record.Identity)))
	copy(record.ID[:], r.take(len(core.ID{})))
	if until := r.take(8); until != nil {
		record.Until = time.Unix(0, int64(binary.BigEndian.Uint64(until)))
	}
	switch mark := r.take(1); {
	case r.failed:
	case mark[0] == 1:
		record.Message = append([]byte{}, r.text()...)
	case mark[0] != 0:
		return nil, errMessage
	}
	if r.failed {
		return nil, errShort
	}
	if r.padded {
		return nil, errLength // flowsync writes none, and one record has one form
	}
	if len(r.rest) > 0 {
		return nil, errLong
	}
	return record, nil
}

// reader takes a record apart.
type reader struct {
	rest   []byte
	failed bool
	padded bool // a length has zeroes at its end
}

func (r *reader) take(n int) []byte {
	if r.failed || n > len(r.rest) {
		r.failed = true
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) text() []byte {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)-size) {
		r.failed = true
		return nil
	}
	r.padded = r.padded || size > 1 && r.rest[size-1] == 0
	r.rest = r.rest[size:]
	return r.take(int(n))
}
