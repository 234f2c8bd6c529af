package model

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// fault says why a value is refused; the zero fault accepts.
type fault struct {
	reason Reason
	info   string
}

// parse checks a value against the characteristics of its variable (B05.FR.07, B05.FR.08) and returns it in
// canonical spelling: lists without blanks, everything else as it came.
func parse(e *entry, raw string) (value, fault) {
	ch := e.chars
	switch ch.DataType {
	case TypeInteger:
		return parseInteger(ch, raw)
	case TypeDecimal:
		return value{text: raw}, checkDecimal(ch, raw)
	case TypeBoolean: // part 2, 2.1.4: these two spellings only
		if raw == "true" || raw == "false" {
			v := value{text: raw}
			if raw == "true" {
				v.num = 1
			}
			return v, fault{}
		}
		return value{}, fault{ReasonInvalidValue, "true or false"}
	case TypeDateTime:
		return value{text: raw}, checkDateTime(raw)
	case TypeOptionList:
		if !hasWord(ch.ValuesList, raw) {
			return value{}, fault{ReasonInvalidValue, "one of " + ch.ValuesList}
		}
		return value{text: raw}, fault{}
	case TypeSequenceList, TypeMemberList:
		return parseList(e, raw)
	case TypePassword:
		return value{text: raw}, checkPassword(ch, raw)
	default:
		return value{text: raw}, checkString(e, raw)
	}
}

// parseInteger takes 32-bit integers without plus sign and leading zeros (part 2, table 1).
func parseInteger(ch *Characteristics, raw string) (value, fault) {
	n, err := strconv.ParseInt(raw, 10, 32)
	if err != nil || strconv.FormatInt(n, 10) != raw {
		return value{}, fault{ReasonInvalidValue, "a 32-bit integer without plus sign and leading zeros"}
	}
	return value{text: raw, num: int(n)}, checkRange(ch, n*microPerUnit)
}

// microPerUnit is the resolution of decimals sent to the station: six places (part 2, table 1).
const microPerUnit = 1_000_000

// checkRange compares millionths with the limits, which are thousandths.
func checkRange(ch *Characteristics, micro int64) fault {
	if ch.MinLimit.Set && micro < int64(ch.MinLimit.Value)*1000 {
		return fault{ReasonValueOutOfRange, "at least " + ch.MinLimit.Value.String()}
	}
	if ch.MaxLimit.Set && micro > int64(ch.MaxLimit.Value)*1000 {
		return fault{ReasonValueOutOfRange, "at most " + ch.MaxLimit.Value.String()}
	}
	return fault{}
}

// maxWholeDigits keeps a decimal in millionths within 63 bits.
const maxWholeDigits = 12

func checkDecimal(ch *Characteristics, raw string) fault {
	bad := fault{ReasonInvalidValue, "a decimal number with at most six places"}
	digits, negative := strings.CutPrefix(raw, "-")
	whole, frac, dotted := strings.Cut(digits, ".")
	if !isDigits(whole) || (dotted && !isDigits(frac)) || len(frac) > 6 || len(whole) > maxWholeDigits || (len(whole) > 1 && whole[0] == '0') {
		return bad
	}
	n, err := strconv.ParseInt(whole+frac+"000000"[len(frac):], 10, 64)
	if err != nil {
		return bad
	}
	if negative {
		n = -n
	}
	return checkRange(ch, n)
}

// milli reads a decimal that checkDecimal has passed.
func milli(raw string) Decimal {
	digits, negative := strings.CutPrefix(raw, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	n, err := strconv.ParseInt(whole+(frac + "000")[:3], 10, 64)
	if err != nil {
		panic("model: decimal " + raw) // it was checked when it was set
	}
	if negative {
		n = -n
	}
	return Decimal(n)
}

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// checkDateTime takes RFC 3339 with at most three places of a second (part 2, table 1).
func checkDateTime(raw string) fault {
	bad := fault{ReasonInvalidValue, "an RFC 3339 time with at most three decimal places"}
	if _, err := time.Parse(time.RFC3339, raw); err != nil || strings.Contains(raw, ",") {
		return bad
	}
	if _, frac, ok := strings.Cut(raw, "."); ok && len(frac) > 3 && '0' <= frac[3] && frac[3] <= '9' {
		return bad
	}
	return fault{}
}

// parseList takes comma separated words of the values list, each once. Blanks around a word are dropped.
func parseList(e *entry, raw string) (value, fault) {
	ch := e.chars
	words := splitList(raw)
	if len(words) == 0 && e.row.filled {
		return value{}, fault{ReasonInvalidValue, "at least one of " + ch.ValuesList}
	}
	if ch.MaxElements > 0 && len(words) > ch.MaxElements {
		return value{}, fault{ReasonTooManyElements, "at most " + strconv.Itoa(ch.MaxElements) + " members"}
	}
	for i, word := range words {
		if !hasWord(ch.ValuesList, word) {
			return value{}, fault{ReasonInvalidValue, "members of " + ch.ValuesList}
		}
		for _, before := range words[:i] {
			if before == word {
				return value{}, fault{ReasonInvalidValue, "each member once"}
			}
		}
	}
	text := strings.Join(words, ",")
	if ch.MaxLimit.Set && tooLong(text, ch.MaxLimit) {
		return value{}, fault{ReasonTooLarge, "at most " + ch.MaxLimit.Value.String() + " characters"}
	}
	return value{text: text, list: words}, fault{}
}

// splitList returns the words of a comma separated list; nothing but blanks is the empty list.
func splitList(csv string) []string {
	if strings.TrimSpace(csv) == "" {
		return nil
	}
	words := strings.Split(csv, ",")
	for i, word := range words {
		words[i] = strings.TrimSpace(word)
	}
	return words
}

// hasWord reports whether a comma separated list has a word.
func hasWord(csv, word string) bool {
	for csv != "" {
		var first string
		first, csv, _ = strings.Cut(csv, ",")
		if first == word {
			return true
		}
	}
	return false
}

func checkString(e *entry, raw string) fault {
	if !utf8.ValidString(raw) {
		return fault{ReasonInvalidValue, "UTF-8 text"}
	}
	if e.chars.MaxLimit.Set && tooLong(raw, e.chars.MaxLimit) {
		return fault{ReasonTooLarge, "at most " + e.chars.MaxLimit.Value.String() + " characters"}
	}
	if e.row.nonColon && (!only(raw, "*-_=+|@.") || raw == "") {
		return fault{ReasonInvalidValue, "letters, digits and *-_=+|@. only"}
	}
	return fault{}
}

// checkPassword: length and characters of passwordString (A00.FR.205 with errata 2025-09).
func checkPassword(ch *Characteristics, raw string) fault {
	if len(raw) < minPassword || tooLong(raw, ch.MaxLimit) {
		return fault{ReasonValueOutOfRange, strconv.Itoa(minPassword) + " to " + ch.MaxLimit.Value.String() + " characters"}
	}
	if !only(raw, "*-_=:+|@.") {
		return fault{ReasonInvalidValue, "letters, digits and *-_=:+|@. only"}
	}
	return fault{}
}

func tooLong(s string, most Limit) bool { return Decimal(utf8.RuneCountInString(s))*1000 > most.Value }

// only reports whether s has ASCII letters, digits and the given symbols, nothing else.
func only(s, symbols string) bool {
	for i := 0; i < len(s); i++ {
		c := lower(s[i])
		if ('a' > c || c > 'z') && ('0' > c || c > '9') && strings.IndexByte(symbols, c) < 0 {
			return false
		}
	}
	return true
}
