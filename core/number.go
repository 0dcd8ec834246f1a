package core

import (
	"bytes"
	"math"
)

func (s *scanner) number(i int) int {
	if s.peek(i) == '-' {
		i++
	}
	if s.peek(i) == '0' {
		i++
	} else if i = s.digits(i); i == wrong {
		return wrong
	}
	if s.peek(i) == '.' {
		if i = s.digits(i + 1); i == wrong {
			return wrong
		}
	}
	if c := s.peek(i); c == 'e' || c == 'E' {
		i++
		if c := s.peek(i); c == '+' || c == '-' {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits steps over one digit or more.
func (s *scanner) digits(i int) int {
	if !isDigit(s.peek(i)) {
		return s.expected(i, "a digit")
	}
	for i++; i < len(s.text) && isDigit(s.text[i]); i++ {
	}
	return i
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// integer returns the value of a JSON text if it is a number without a fraction that fits into
// 64 bits, however it is written: 500, 500.0 and 5e2 are the same. It adds up digit by digit,
// because a float would let 500.00000000000000001 pass.
func integer(text []byte) (int64, bool) {
	negative := text[0] == '-'
	if negative {
		text = text[1:]
	} else if !isDigit(text[0]) {
		return 0, false
	}
	digits, power := mantissa(text)
	sum := uint64(0) // below 10^19, so it cannot overflow
	for _, c := range digits {
		if c == '.' {
			continue
		}
		if d := uint64(c - '0'); d != 0 {
			if power < 0 || power > 18 {
				return 0, false
			}
			for range power {
				d *= 10
			}
			sum += d
		}
		power--
	}
	if negative {
		return -int64(sum), sum <= 1<<63
	}
	return int64(sum), sum <= math.MaxInt64
}

// mantissa returns the digits of a number, with its point, and the power of ten that the first
// one stands for.
func mantissa(number []byte) (digits []byte, power int) {
	digits, exponent := number, []byte(nil)
	if e := bytes.IndexAny(number, "eE"); e >= 0 {
		digits, exponent = number[:e], number[e+1:]
	}
	whole := bytes.IndexByte(digits, '.')
	if whole < 0 {
		whole = len(digits)
	}
	shift, sign := 0, 1
	for _, c := range exponent {
		if c == '-' {
			sign = -1
		} else if c != '+' && shift < maxShift {
			shift = shift*10 + int(c-'0')
		}
	}
	return digits, whole - 1 + sign*shift
}

// maxShift is larger than any power of ten that a message could need, small enough not to
// overflow.
const maxShift = 1 << 26
