package core

import (
	"encoding/json"
	"testing"
)

// sampleAnswer is an answer of about 200 bytes, as a manufacturing execution system sends it.
func sampleAnswer() []byte {
	return []byte(`{"id":"` + sampleText + `","timestamp":1700000000123,"value":{"release":true,"order":"4711-0815-A","recipe":{"temperature":182.5,"steps":[1,2,3,5,8]},"operator":"M. Müller"}}`)
}

// BenchmarkCodec is a message of about 200 bytes, by the package and by the standard library.
func BenchmarkCodec(b *testing.B) {
	message := sampleAnswer()
	id, _ := ParseID([]byte(sampleText))
	buf := make([]byte, 0, 1024)
	for _, c := range []struct {
		name string
		once func() error
	}{
		{"encode/core", func() error {
			buf = AppendRequest(buf[:0], id, 1700000000123, message)
			return nil
		}},
		{"encode/encoding-json", func() error {
			_, err := json.Marshal(struct {
				ID        ID              `json:"id"`
				Timestamp int64           `json:"timestamp"`
				Value     json.RawMessage `json:"value"`
			}{id, 1700000000123, message})
			return err
		}},
		{"decode/core", func() error {
			_, err := DecodeAnswer(message)
			return err
		}},
		{"decode/encoding-json", func() error {
			var reply struct {
				ID    *string         `json:"id"`
				Value json.RawMessage `json:"value"`
				Error json.RawMessage `json:"error"`
			}
			return json.Unmarshal(message, &reply)
		}},
		{"validate/core", func() error {
			_, err := ValidJSON(message)
			return err
		}},
		{"validate/encoding-json", func() error {
			if !json.Valid(message) {
				return errNoObject
			}
			return nil
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.once(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
