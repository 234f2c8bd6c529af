package rpc

import (
	"errors"
	"time"
)

var (
	errTime = errors.New("not an RFC 3339 date-time")
	errYear = errors.New("year not within 0001 to 9999")
)

// ParseTime reads an RFC 3339 date-time with any number of fraction digits (beyond nanoseconds they are
// dropped) and any offset, and returns it in UTC. Years that do not have four digits, year 0000 and what
// leaves 0001 to 9999 in UTC are errors: no peer could read them back.
func ParseTime(s string) (time.Time, error) {
	if long := leadingDigits(s); long > 4 && long < len(s) && s[long] == '-' {
		return time.Time{}, errYear
	}
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[7] != '-' || s[10]|0x20 != 't' || s[13] != ':' || s[16] != ':' {
		return time.Time{}, errTime
	}
	year := two(s, 0)*100 + two(s, 2)
	month, day, hour, minute, second := two(s, 5), two(s, 8), two(s, 11), two(s, 14), two(s, 17)
	if year < 0 || two(s, 2) < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return time.Time{}, errTime
	}
	nanos, i, ok := fraction(s, 19)
	if !ok {
		return time.Time{}, errTime
	}
	offset, ok := zone(s[i:])
	if !ok {
		return time.Time{}, errTime
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second-offset*60, nanos, time.UTC)
	if year == 0 || t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, errYear
	}
	return t, nil
}

func leadingDigits(s string) (n int) {
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return n
}

// two reads two digits, a large negative number where they are none.
func two(s string, i int) int {
	if s[i]-'0' > 9 || s[i+1]-'0' > 9 {
		return -1 << 20
	}
	return int(s[i]-'0')*10 + int(s[i+1]-'0')
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// fraction reads .digits at i, if any, and returns what follows.
func fraction(s string, i int) (nanos, end int, ok bool) {
	if i >= len(s) || s[i] != '.' {
		return 0, i, true
	}
	scale := 100_000_000
	for i++; i < len(s) && s[i]-'0' <= 9; i++ {
		nanos += int(s[i]-'0') * scale
		scale /= 10
		ok = true
	}
	return nanos, i, ok
}

// zone reads Z or an offset and returns it in minutes.
func zone(s string) (minutes int, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+01:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	h, m := two(s, 1), two(s, 4)
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, false
	}
	if minutes = h*60 + m; s[0] == '-' {
		minutes = -minutes
	}
	return minutes, true
}

// AppendTime appends t in UTC with three fraction digits, the most that OCPP allows (part 2, 3.5 Time format).
// The year must be within 0 to 9999.
func AppendTime(dst []byte, t time.Time) []byte {
	n := len(dst)
	dst = append(dst, timeForm...)
	t = t.UTC()
	year, month, day := t.Date()
	putTime(dst[n:], year, int(month), day, t)
	return dst
}

const timeForm = "0000-00-00T00:00:00.000Z"

// putTime writes t, which is in UTC and of the given date, over the zeros of b, a timeForm.
func putTime(b []byte, year, month, day int, t time.Time) {
	b = b[:len(timeForm)]
	hour, minute, second := t.Clock()
	putTwo(b, year/100)
	putTwo(b[2:], year%100)
	putTwo(b[5:], month)
	putTwo(b[8:], day)
	putTwo(b[11:], hour)
	putTwo(b[14:], minute)
	putTwo(b[17:], second)
	ms := t.Nanosecond() / 1_000_000
	b[20] = '0' + byte(ms/100)
	putTwo(b[21:], ms%100)
}
