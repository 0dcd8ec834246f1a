package core

import "encoding/binary"

// ID names one transaction. Its text is a UUID of version 4 (RFC 9562), because strict
// validators on the responder's side accept nothing newer. The 16 bytes are
//
//	0–3   place of the slot: shard in the low bits, slot above them
//	4–5   instance tag
//	6–7   version nibble, 12 random bits
//	8–15  variant bits, 62 random bits
//
// so that a transaction is found without hashing, and another gateway's id is recognised.
// The 74 random bits come from a ChaCha8 generator seeded by the operating system.
type ID [16]byte

// IDTextLen is the length of the text form of an ID in bytes.
const IDTextLen = 36

// IsZero says whether id is the zero value, which names no transaction.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the canonical text form, 36 lower-case characters.
func (id ID) String() string {
	var text [IDTextLen]byte
	return string(id.Append(text[:0]))
}

// Append appends the canonical text form to dst.
func (id ID) Append(dst []byte) []byte { return id.key().append(dst) }

// MarshalText implements [encoding.TextMarshaler].
func (id ID) MarshalText() ([]byte, error) { return id.Append(nil), nil }

// ParseID reads the canonical text form in either case. False if text is anything else.
func ParseID(text []byte) (ID, bool) {
	k, ok := parseKey(text)
	return k.id(), ok
}

// An id has 32 bits for its place, and shards take at most 8 of them.
const (
	maxShards = 256
	maxSlots  = 1<<24 - 1
)

// key is an ID as two numbers. Inside the package it is used instead of the array, because it
// travels in registers: an array that was just put together of parts and is then copied as a
// whole stalls the processor twice per transaction.
type key struct {
	head uint64 // bytes 0–7: place, instance tag, version, random bits
	rest uint64 // bytes 8–15: variant, random bits
}

func makeKey(place uint32, instance uint16, mid uint16, rest uint64) key {
	return key{uint64(place)<<32 | uint64(instance)<<16 | uint64(mid), rest}
}

func (id *ID) key() key {
	return key{binary.BigEndian.Uint64(id[0:8]), binary.BigEndian.Uint64(id[8:16])}
}

func (k key) id() (id ID) {
	k.put(&id)
	return id
}

func (k key) put(id *ID) {
	binary.BigEndian.PutUint64(id[0:8], k.head)
	binary.BigEndian.PutUint64(id[8:16], k.rest)
}

func (k key) place() uint32    { return uint32(k.head >> 32) }
func (k key) instance() uint16 { return uint16(k.head >> 16) }
func (k key) mid() uint16      { return uint16(k.head) }

func (k key) append(dst []byte) []byte {
	n := len(dst)
	dst = append(dst, "00000000-0000-0000-0000-000000000000"...)
	text := dst[n : n+IDTextLen]
	second, third := toHex(uint32(k.head)), toHex(uint32(k.rest>>32))
	binary.BigEndian.PutUint64(text[0:], toHex(uint32(k.head>>32)))
	binary.BigEndian.PutUint32(text[9:], uint32(second>>32))
	binary.BigEndian.PutUint32(text[14:], uint32(second))
	binary.BigEndian.PutUint32(text[19:], uint32(third>>32))
	binary.BigEndian.PutUint32(text[24:], uint32(third))
	binary.BigEndian.PutUint64(text[28:], toHex(uint32(k.rest)))
	return dst
}

func parseKey(text []byte) (key, bool) {
	if len(text) != IDTextLen || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return key{}, false
	}
	v0, wrong0 := fromHex(binary.BigEndian.Uint64(text[0:]))
	v1, wrong1 := fromHex(uint64(binary.BigEndian.Uint32(text[9:]))<<32 | uint64(binary.BigEndian.Uint32(text[14:])))
	v2, wrong2 := fromHex(uint64(binary.BigEndian.Uint32(text[19:]))<<32 | uint64(binary.BigEndian.Uint32(text[24:])))
	v3, wrong3 := fromHex(binary.BigEndian.Uint64(text[28:]))
	if wrong0|wrong1|wrong2|wrong3 != 0 {
		return key{}, false
	}
	return key{uint64(v0)<<32 | uint64(v1), uint64(v2)<<32 | uint64(v3)}, true
}
