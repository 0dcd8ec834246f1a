// Package value is what variables and arguments hold: data types, their JSON form, and parts of
// arrays.
//
// # Words
//
//   - type: one of the built-in types of OPC 10000-6, 5.1.2 that a commissioning file may name,
//     scalar (ValueRank -1) or an array of one dimension (ValueRank 1).
//   - text: the JSON text of a value, as it travels over MQTT.
//   - range: a NumericRange (OPC 10000-4, 7.27), which means part of an array, a String or a
//     ByteString.
//
// # JSON
//
// Boolean is a boolean; SByte, Byte, Int16, UInt16, Int32, UInt32 are numbers (1.0 is an integer,
// 1.5 is not); Int64 and UInt64 are strings, as they may not fit a JavaScript number, and
// numbers are accepted for them; Float and Double are numbers, or the strings "NaN", "Infinity"
// and "-Infinity"; String, LocalizedText and QualifiedName are strings; DateTime is a string of
// RFC 3339, in UTC, and null for the null DateTime; Guid is its text; ByteString is base64
// (RFC 4648, with padding); an array is an array. What is out of range or of another type is
// refused, never rounded, cut or guessed.
//
// Everything here is pure: no state, no goroutines, no clock, nothing blocks.
package value
