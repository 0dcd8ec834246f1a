package core

import (
	"encoding/json"
	"testing"
)

// sampleAnswer is an answer of about 200 bytes, as a manufacturing execution system sends it.
func sampleAnswer() []byte {
	return []byte(`{"id":"` + sampleText + `","timestamp":1700000000123,"value":{"release":true,"order":"4711-0815-A","recipe":{"temperature":182.5,"steps":[1,2,3,5,8]},"operator":"M. Müller"}}`)
}

func BenchmarkDecodeAnswer(b *testing.B) {
	payload := sampleAnswer()
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeAnswer(payload); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeAnswerEncodingJSON is the same with the standard library.
func BenchmarkDecodeAnswerEncodingJSON(b *testing.B) {
	payload := sampleAnswer()
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		var reply struct {
			ID    *string         `json:"id"`
			Value json.RawMessage `json:"value"`
			Error json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal(payload, &reply); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	id, _ := ParseID([]byte(sampleText))
	value := sampleAnswer()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendRequest(buf[:0], id, 1700000000123, value)
	}
}

// BenchmarkAppendRequestEncodingJSON is the same with the standard library.
func BenchmarkAppendRequestEncodingJSON(b *testing.B) {
	id, _ := ParseID([]byte(sampleText))
	value := sampleAnswer()
	b.ReportAllocs()
	for b.Loop() {
		_, err := json.Marshal(struct {
			ID        ID              `json:"id"`
			Timestamp int64           `json:"timestamp"`
			Value     json.RawMessage `json:"value"`
		}{id, 1700000000123, value})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidJSON(b *testing.B) {
	text := sampleAnswer()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ValidJSON(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkValidJSONEncodingJSON is the same with the standard library.
func BenchmarkValidJSONEncodingJSON(b *testing.B) {
	text := sampleAnswer()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(text) {
			b.Fatal("not valid")
		}
	}
}
