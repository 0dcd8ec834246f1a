package core

import (
	"encoding/binary"
	"encoding/hex"
)

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
func (id ID) Append(dst []byte) []byte {
	var t [IDTextLen]byte
	hex.Encode(t[0:8], id[0:4])
	t[8] = '-'
	hex.Encode(t[9:13], id[4:6])
	t[13] = '-'
	hex.Encode(t[14:18], id[6:8])
	t[18] = '-'
	hex.Encode(t[19:23], id[8:10])
	t[23] = '-'
	hex.Encode(t[24:36], id[10:16])
	return append(dst, t[:]...)
}

// MarshalText implements [encoding.TextMarshaler].
func (id ID) MarshalText() ([]byte, error) { return id.Append(nil), nil }

// ParseID reads the canonical text form in either case. False if text is anything else.
func ParseID(text []byte) (ID, bool) {
	var id ID
	if len(text) != IDTextLen || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, false
	}
	var packed [32]byte
	copy(packed[0:8], text[0:8])
	copy(packed[8:12], text[9:13])
	copy(packed[12:16], text[14:18])
	copy(packed[16:20], text[19:23])
	copy(packed[20:32], text[24:36])
	if _, err := hex.Decode(id[:], packed[:]); err != nil {
		return ID{}, false
	}
	return id, true
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
