package core

// Eight hexadecimal digits are handled as one number: a byte for each digit, the first one in
// the highest. It is more than twice as fast as encoding/hex, which looks at single bytes.

const (
	ones  = 0x0101010101010101
	highs = 0xf0f0f0f0f0f0f0f0
)

// toHex returns the lower-case digits of v.
func toHex(v uint32) uint64 {
	x := uint64(v)
	x = (x<<16 | x) & 0x0000ffff0000ffff
	x = (x<<8 | x) & 0x00ff00ff00ff00ff
	x = (x<<4 | x) & 0x0f0f0f0f0f0f0f0f
	return hexDigits(x)
}

// hexDigits turns eight values below 16 into their digits. A value above 9 carries into the
// high half of its byte when 6 is added; that moves it from behind '9' to 'a'.
func hexDigits(values uint64) uint64 {
	letters := (values + 6*ones) >> 4 & ones
	return values + '0'*ones + letters*('a'-'9'-1)
}

// fromHex reads eight digits of either case. Not all of them are digits if wrong is not 0.
func fromHex(digits uint64) (v uint32, wrong uint64) {
	letters := digits >> 6 & ones // no digit has the bit 0x40, every letter has it
	x := digits&^highs + letters*9
	wrong = x&highs | (hexDigits(x) ^ (digits | letters*0x20))
	x = (x | x>>4) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return uint32(x | x>>16), wrong
}
