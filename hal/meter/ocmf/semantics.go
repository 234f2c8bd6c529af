package ocmf

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// judgeSemantics checks what each field says, and that registers and time only go forward.
func judgeSemantics(records []*Record) Verdict {
	var fs []Finding
	c := course{last: map[string]*big.Rat{}}
	for i, r := range records {
		s := semantics{record: i + 1}
		s.general(r)
		s.user(r)
		s.twice("", r.fields)
		s.twice("signature.", r.signature)
		if len(r.readings) == 0 {
			s.bad("RD", "want at least one reading")
		}
		for n, o := range r.readings {
			s.reading(fmt.Sprintf("RD[%d]", n), o, r)
			s.twice(fmt.Sprintf("RD[%d].", n), o)
			c.follow(&s, fmt.Sprintf("RD[%d]", n), o)
		}
		fs = append(fs, s.findings...)
	}
	return conclude(fs)
}

// semantics collects findings of one record.
type semantics struct {
	record   int
	findings []Finding
}

func (s *semantics) bad(field, text string) {
	s.findings = append(s.findings, Finding{Record: s.record, Field: field, Text: text})
}

func (s *semantics) remark(field, text string) {
	s.findings = append(s.findings, Finding{Record: s.record, Field: field, Text: text, Remark: true})
}

// one checks a field that has one of a table's values.
func (s *semantics) one(at string, o object, key, table string) {
	raw, ok := o.get(key)
	if !ok {
		return
	}
	v := o.text(key)
	if raw[0] != '"' || !slices.Contains(strings.Fields(table), v) {
		s.bad(at+key, fmt.Sprintf("%s: want one of %s", raw, table))
	}
}

// twice: of a key that is there twice, readers take the one or the other.
func (s *semantics) twice(at string, o object) {
	for i, f := range o {
		if slices.ContainsFunc(o[:i], func(b field) bool { return b.key == f.key }) {
			s.bad(at+f.key, "is there twice")
		}
	}
}

var versionForm = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,3}$`)

// general checks tables 1 to 3 and 6.
func (s *semantics) general(r *Record) {
	o := r.fields
	if v := o.text("FV"); o.has("FV") && !versionForm.MatchString(v) {
		s.bad("FV", fmt.Sprintf("%q: want major.minor", v))
	}
	if p, ok := parsePage(o.text("PG")); !ok {
		s.bad("PG", fmt.Sprintf("%q: want T or F and a number without leading zeros", o.text("PG")))
	} else if p.context == 'F' && o.has("IS") {
		s.bad("IS", "a fiscal reading has no user")
	}
	if o.text("MS") == "" && o.text("GS") == "" {
		s.bad("MS", "want the serial number of the meter: without it and the gateway's the key belongs to nobody")
	} else if o.text("MS") == "" {
		s.bad("MS", "want the serial number of the meter")
	}
	s.one("", o, "CT", "EVSEID CBIDC")
	if o.has("CI") != o.has("CT") {
		s.bad("CI", "want CT and CI together")
	}
	if len(o.text("CF")) > 25 {
		s.bad("CF", "want at most 25 characters")
	}
	s.loss(o)
}

// loss checks table 24.
func (s *semantics) loss(o object) {
	raw, ok := o.get("LC")
	if !ok {
		return
	}
	lc, err := parseObject(raw)
	if err != nil {
		s.bad("LC", "want an object")
		return
	}
	if v, _ := lc.get("LR"); number(v) == nil {
		s.bad("LC.LR", "want the resistance of the cable")
	}
	s.one("LC.", lc, "LU", "mOhm uOhm")
	if !lc.has("LU") {
		s.bad("LC.LU", "want the unit of the resistance")
	}
}

// Tables 11 to 17.
const (
	levels = "NONE HEARSAY TRUSTED VERIFIED CERTIFIED SECURE MISMATCH INVALID OUTDATED UNKNOWN"
	flags  = "RFID_NONE RFID_PLAIN RFID_RELATED RFID_PSK OCPP_NONE OCPP_RS OCPP_AUTH OCPP_RS_TLS OCPP_AUTH_TLS OCPP_CACHE OCPP_WHITELIST " +
		"OCPP_CERTIFIED ISO15118_NONE ISO15118_PNC PLMN_NONE PLMN_RING PLMN_SMS"
	userTypes = "NONE DENIED UNDEFINED ISO14443 ISO15693 EMAID EVCCID EVCOID ISO7812 CARD_TXN_NR CENTRAL CENTRAL_1 CENTRAL_2 LOCAL LOCAL_1 " +
		"LOCAL_2 PHONE_NUMBER KEY_CODE"
)

// user checks table 4. How sure the station is of the user is a remark: it says nothing against the measurement.
func (s *semantics) user(r *Record) {
	o := r.fields
	if p, ok := parsePage(o.text("PG")); !ok || p.context == 'F' {
		return
	}
	if raw, _ := o.get("IS"); string(raw) != "true" && string(raw) != "false" {
		s.bad("IS", "want true or false in a record of a transaction")
	}
	if !o.has("IT") {
		s.bad("IT", "want the type of identification in a record of a transaction")
	}
	s.one("", o, "IL", levels)
	s.one("", o, "IT", userTypes)
	if slices.Contains([]string{"MISMATCH", "INVALID", "OUTDATED", "UNKNOWN"}, o.text("IL")) {
		s.remark("IL", "the user was not identified: "+o.text("IL"))
	}
	if raw, ok := o.get("IF"); ok {
		var list []string
		if json.Unmarshal(raw, &list) != nil || len(list) > 4 {
			s.bad("IF", "want a list of at most four flags")
		}
		for _, f := range list {
			if !slices.Contains(strings.Fields(flags), f) {
				s.bad("IF", fmt.Sprintf("%q: no such flag", f))
			}
		}
	}
	if len(o.text("TT")) > 250 {
		s.bad("TT", "want at most 250 characters")
	}
}

// reading checks table 7.
func (s *semantics) reading(at string, o object, r *Record) {
	if _, synchronised, err := parseTime(o.text("TM")); err != nil {
		s.bad(at+".TM", err.Error())
	} else if synchronised == 'U' || synchronised == 'I' {
		s.remark(at+".TM", "the clock is "+map[byte]string{'U': "not synchronised", 'I': "informative"}[synchronised])
	}
	s.one(at+".", o, "TX", "B C X E L R A P S T")
	s.one(at+".", o, "RT", "AC DC")
	if meterStates[o.text("ST")] == "" {
		s.bad(at+".ST", fmt.Sprintf("%q: want a state of table 10", o.text("ST")))
	}
	if strings.Trim(o.text("EF"), "Et") != "" {
		s.bad(at+".EF", fmt.Sprintf("%q: want E and t", o.text("EF")))
	}
	if p, ok := parsePage(r.fields.text("PG")); ok && p.context == 'T' && !o.has("TX") {
		s.bad(at+".TX", "want the reason of the reading")
	}
	raw, ok := o.get("RV")
	if !ok && o.text("ST") == "G" && o.text("EF") == "" {
		s.bad(at+".RV", "want a value: no error is told that could be the reading's reason")
	}
	if !ok {
		return
	}
	if number(raw) == nil {
		s.bad(at+".RV", fmt.Sprintf("%s: want a number", raw))
	} else if raw[0] == '"' {
		s.remark(at+".RV", "a number in quotes")
	}
	s.one(at+".", o, "RU", "kWh Wh mOhm uOhm")
	if o.has("RI") != o.has("RU") {
		s.bad(at+".RI", "want RI and RU together")
	}
	if !o.has("RU") {
		s.bad(at+".RU", "want a unit")
	}
}

// number parses a JSON number exactly; some meters put it in quotes. nil is none.
func number(raw json.RawMessage) *big.Rat {
	text := string(bytes.Trim(raw, `"`))
	if len(text) == 0 || len(text) > 40 || strings.Trim(text, "0123456789.-") != "" {
		return nil
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}

// parseTime reads a time and its state of synchronisation (Tables 7 and 19).
func parseTime(s string) (time.Time, byte, error) {
	stamp, state, ok := strings.Cut(s, " ")
	if !ok || len(state) != 1 || !strings.Contains("UISR", state) {
		return time.Time{}, 0, fmt.Errorf("%q: want a time, a space and U, I, S or R", s)
	}
	t, err := time.Parse("2006-01-02T15:04:05,000-0700", stamp)
	if err != nil || len(stamp) != len("2018-07-24T13:22:04,000+0200") {
		return time.Time{}, 0, fmt.Errorf("%q: want a time like 2018-07-24T13:22:04,000+0200", stamp)
	}
	return t, state[0], nil
}

// course follows registers and time through the readings.
type course struct {
	last map[string]*big.Rat
	time map[string]time.Time
}

// follow: a register of the same identifier never falls, and its time does not go back.
func (c *course) follow(s *semantics, at string, o object) {
	id := o.text("RI")
	if t, _, err := parseTime(o.text("TM")); err == nil {
		if c.time == nil {
			c.time = map[string]time.Time{}
		}
		if before, ok := c.time[id]; ok && t.Before(before) {
			s.bad(at+".TM", "earlier than the reading before")
		}
		c.time[id] = t
	}
	raw, ok := o.get("RV")
	v := number(raw)
	if !ok || v == nil {
		return
	}
	if o.text("RU") == "kWh" {
		v = new(big.Rat).Mul(v, big.NewRat(1000, 1))
	}
	if before := c.last[id]; before != nil && v.Cmp(before) < 0 && strings.HasSuffix(o.text("RU"), "Wh") {
		s.bad(at+".RV", "lower than the reading before")
	}
	c.last[id] = v
}
