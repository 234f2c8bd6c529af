package ocmf

import (
	"fmt"
	"strconv"
	"strings"
)

// page is the pagination of a record: its context and its number (Table 2).
type page struct {
	context byte
	number  uint64
}

func parsePage(s string) (page, bool) {
	if len(s) < 2 || s[0] != 'T' && s[0] != 'F' || s[1] == '0' && len(s) > 2 {
		return page{}, false
	}
	n, err := strconv.ParseUint(s[1:], 10, 63)
	return page{s[0], n}, err == nil && s[1] != '+'
}

// ends are the reasons that end a transaction (Table 7, TX).
const ends = "ELRAP"

// judgeCompleteness checks that nothing was taken out of the records or added to them (section on signing and
// verification): one source, pages in a row, a begin, an end, and no error between.
func judgeCompleteness(records []*Record) Verdict {
	var fs []Finding
	fs = append(fs, checkSource(records)...)
	fs = append(fs, checkPages(records)...)
	fs = append(fs, checkCourse(records)...)
	fs = append(fs, checkErrors(records)...)
	return conclude(fs)
}

// checkSource: all records are of one signing component.
func checkSource(records []*Record) (fs []Finding) {
	for i, r := range records[1:] {
		for _, key := range []string{"GS", "MS", "CI"} {
			if a, b := records[0].fields.text(key), r.fields.text(key); a != b {
				fs = append(fs, Finding{Record: i + 2, Field: key, Text: fmt.Sprintf("%q, the first record has %q: another meter", b, a)})
			}
		}
	}
	return fs
}

func checkPages(records []*Record) (fs []Finding) {
	var last page
	for i, r := range records {
		p, ok := parsePage(r.fields.text("PG"))
		switch {
		case !ok:
			fs = append(fs, Finding{Record: i + 1, Field: "PG", Text: "no page to count by"})
		case i > 0 && last.context != 0 && p.context != last.context:
			fs = append(fs, Finding{Record: i + 1, Field: "PG", Text: "counted in another context than the record before"})
		case i > 0 && last.context != 0 && p.number != last.number+1:
			fs = append(fs, Finding{Record: i + 1, Field: "PG", Text: fmt.Sprintf("page %d follows page %d: %s", p.number, last.number, gap(last, p))})
		}
		last = p
	}
	return fs
}

func gap(a, b page) string {
	if b.number <= a.number {
		return "a record is there twice, or in another order"
	}
	return fmt.Sprintf("%d records are missing", b.number-a.number-1)
}

// checkCourse: each register that was read begins with the transaction and ends with it. A record of the fiscal
// context has no transaction.
func checkCourse(records []*Record) (fs []Finding) {
	if p, ok := parsePage(records[0].fields.text("PG")); ok && p.context == 'F' {
		return nil
	}
	var ids []string
	course := map[string]string{}
	for _, r := range records {
		for _, o := range r.readings {
			id := o.text("RI")
			if _, known := course[id]; !known {
				ids = append(ids, id)
			}
			course[id] += o.text("TX")
		}
	}
	if len(ids) == 0 {
		return []Finding{{Field: "RD", Text: "no readings"}}
	}
	for _, id := range ids {
		c := course[id]
		if !strings.HasPrefix(c, "B") {
			fs = append(fs, Finding{Field: "TX", Text: "the begin of the transaction is missing" + of(id)})
		}
		end := strings.IndexAny(c, ends)
		switch {
		case end < 0:
			fs = append(fs, Finding{Field: "TX", Text: "the end of the transaction is missing" + of(id)})
		case end < len(c)-1, strings.Contains(c[min(1, len(c)):], "B"):
			fs = append(fs, Finding{Field: "TX", Text: "more than one transaction" + of(id)})
		}
	}
	return fs
}

func of(id string) string {
	if id == "" {
		return ""
	}
	return " of " + id
}

// checkErrors: an error on the way makes values unusable from there on.
func checkErrors(records []*Record) (fs []Finding) {
	for i, r := range records {
		for n, o := range r.readings {
			at := fmt.Sprintf("RD[%d]", n)
			if o.text("TX") == "X" {
				fs = append(fs, Finding{Record: i + 1, Field: at + ".TX", Text: "an error during the charge: time or energy count no longer"})
			}
			for _, c := range o.text("EF") {
				if what := map[rune]string{'E': "energy", 't': "time"}[c]; what != "" {
					fs = append(fs, Finding{Record: i + 1, Field: at + ".EF", Text: what + " cannot be billed"})
				}
			}
			if s := o.text("ST"); s != "" && s != "G" && meterStates[s] != "" {
				fs = append(fs, Finding{Record: i + 1, Field: at + ".ST", Text: "the meter says: " + meterStates[s]})
			}
		}
	}
	return fs
}

// meterStates are the states of a meter (Table 10).
var meterStates = map[string]string{"N": "not present", "G": "good", "T": "timeout", "D": "disconnected", "R": "no longer found", "M": "manipulated",
	"X": "exchanged", "I": "incompatible", "O": "out of range", "S": "substitute value", "E": "other error", "F": "read error"}
