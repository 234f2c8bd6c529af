package rpc

// pairs holds 00 to 99, so that one division makes two digits.
const pairs = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"

// digitCount returns how many digits v has.
func digitCount(v uint) int {
	for n := 0; ; n += 4 {
		switch {
		case v < 10:
			return n + 1
		case v < 100:
			return n + 2
		case v < 1000:
			return n + 3
		case v < 10000:
			return n + 4
		}
		v /= 10000
	}
}

// putDigits fills b with the last digits of v and zeros in front of them.
func putDigits(b []byte, v uint) {
	for len(b) >= 2 {
		q := v / 100
		i := (v - q*100) * 2
		b[len(b)-1], b[len(b)-2] = pairs[i+1], pairs[i]
		b = b[:len(b)-2]
		v = q
	}
	if len(b) == 1 {
		b[0] = '0' + byte(v%10)
	}
}

// putTwo writes the two digits of v, which is below 100.
func putTwo(b []byte, v int) { b[0], b[1] = pairs[2*v], pairs[2*v+1] }
