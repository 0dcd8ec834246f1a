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
// Boolean is a boolean; SByte, Byte, Int16, UInt16, Int32, UInt32 are numbers (1.0 and 1e3 are
// integers, 1.5 is not); Int64 and UInt64 are strings, as they may not fit a JavaScript number,
// and numbers are accepted for them; Float and Double are numbers, or the strings "NaN",
// "Infinity" and "-Infinity"; String, LocalizedText and QualifiedName are strings; DateTime is a
// string of RFC 3339, written in UTC, and null for the null DateTime; Guid is its text, written
// in lower case; ByteString is base64 (RFC 4648, with padding); an array is an array, in which
// all this holds for each element. null is also accepted for String, ByteString, LocalizedText
// and QualifiedName: it is the empty one, which the codec cannot tell from null; so these are
// written as "", and a null array as [].
//
// What is out of range or of another type is refused, never cut or guessed. What is finer than
// the type can hold is not a fault: a number becomes the nearest Float or Double, and of a
// DateTime the digits behind its 100 ns are dropped, so that any clock's text can be given.
//
// The locale of a LocalizedText and the namespace of a QualifiedName have no place in the text:
// they are not written, and empty and 0 when read.
//
// A DateTime is an instant from 1601 to 9999. The first one is the null DateTime as well, and the
// last second of 9999 is one instant, which means any later time (OPC 10000-6, 5.2.2.5).
//
// # What gopcua's codec cannot do
//
// It counts time in nanoseconds from 1970 in 64 bits, so it reads and writes another time for one
// before 1677 or after 2262; and it writes nothing for the elements of an array of ByteString,
// which ruins what follows. Values are therefore written by [AppendBinary], wherever they go out,
// and what came in goes through [Type.Adapt] first.
//
// Everything here is pure: no state, no goroutines, no clock, nothing blocks.
package value
