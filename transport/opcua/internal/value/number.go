package value

import (
	"bytes"
	"math"
	"math/bits"
)

func isNumber(token []byte) bool { return token[0] == '-' || isDigit(token[0]) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// signed reads an integer from a JSON number, however it is written.
func signed[T int8 | int16 | int32 | int64](token []byte) (T, error) {
	negative, size, err := whole(token)
	if err != nil {
		return 0, err
	}
	value, most := int64(size), uint64(math.MaxInt64)
	if negative {
		value, most = -value, most+1
	}
	if size > most || int64(T(value)) != value {
		return 0, errRange
	}
	return T(value), nil
}

// unsigned is signed for types without a sign.
func unsigned[T uint8 | uint16 | uint32 | uint64](token []byte) (T, error) {
	negative, size, err := whole(token)
	if err != nil {
		return 0, err
	}
	if size > uint64(^T(0)) || negative && size > 0 {
		return 0, errRange
	}
	return T(size), nil
}

// int64Text and uint64Text also read a string that holds an integer in plain digits.
func int64Text(token []byte) (int64, error) {
	token, err := digitsOf(token)
	if err != nil {
		return 0, err
	}
	return signed[int64](token)
}

func uint64Text(token []byte) (uint64, error) {
	token, err := digitsOf(token)
	if err != nil {
		return 0, err
	}
	return unsigned[uint64](token)
}

// digitsOf returns the number that a token is, or that is in a string.
func digitsOf(token []byte) ([]byte, error) {
	if isNumber(token) {
		return token, nil
	}
	if s, err := unquote(token); err == nil && plain(s) {
		return s, nil
	}
	return nil, errLong
}

// plain says whether text is an integer as JSON writes it, without fraction and exponent.
func plain(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	if len(text) == 0 || text[0] == '0' && len(text) > 1 {
		return false
	}
	for _, c := range text {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// whole returns the value of a JSON number that has no fraction, however it is written: 500,
// 500.0 and 5e2 are the same. It adds up digit by digit, because a float would let
// 500.00000000000000001 pass; digits of no value cost nothing but their length, so an exponent
// may be as large as it likes.
func whole(token []byte) (negative bool, size uint64, err error) {
	if !isNumber(token) {
		return false, 0, errNumber
	}
	if negative = token[0] == '-'; negative {
		token = token[1:]
	}
	digits, power := mantissa(token)
	for _, c := range digits {
		if c == '.' {
			continue
		}
		if d := uint64(c - '0'); d != 0 {
			if power < 0 {
				return false, 0, errFraction
			}
			if size, err = addDigit(size, d, power); err != nil {
				return false, 0, err
			}
		}
		power--
	}
	return negative, size, nil
}

// addDigit returns sum + digit × 10^power.
func addDigit(sum, digit uint64, power int) (uint64, error) {
	if power >= len(powers) {
		return 0, errRange
	}
	high, low := bits.Mul64(digit, powers[power])
	sum, carry := bits.Add64(sum, low, 0)
	if high|carry != 0 {
		return 0, errRange
	}
	return sum, nil
}

// powers are the powers of ten that fit into 64 bits.
var powers = [...]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// mantissa returns the digits of a number, with its point, and the power of ten that the first
// one stands for.
func mantissa(number []byte) (digits []byte, power int) {
	digits, exponent := number, []byte(nil)
	if e := bytes.IndexAny(number, "eE"); e >= 0 {
		digits, exponent = number[:e], number[e+1:]
	}
	n := bytes.IndexByte(digits, '.')
	if n < 0 {
		n = len(digits)
	}
	shift, sign := 0, 1
	for _, c := range exponent {
		if c == '-' {
			sign = -1
		} else if c != '+' && shift < maxShift {
			shift = shift*10 + int(c-'0')
		}
	}
	return digits, n - 1 + sign*shift
}

// maxShift is larger than any text is long, and small enough for an int of 32 bits.
const maxShift = 1 << 26
