package stationtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// line is one command split into words: plain ones and key=value.
type line struct {
	verb  string
	words []string
	keys  map[string]string
}

func parseLine(text string) line {
	l := line{keys: map[string]string{}}
	for i, w := range strings.Fields(text) {
		k, v, pair := strings.Cut(w, "=")
		switch {
		case i == 0:
			l.verb = w
		case pair:
			l.keys[k] = v
		default:
			l.words = append(l.words, w)
		}
	}
	return l
}

func (l line) has(word string) bool { return slices.Contains(l.words, word) }

// word returns the i-th plain word, "" where there is none.
func (l line) word(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

func (l line) duration(key string, def time.Duration) (time.Duration, error) {
	if v, ok := l.keys[key]; ok {
		return time.ParseDuration(v)
	}
	return def, nil
}

func (l line) number(key string) (int, error) {
	if v, ok := l.keys[key]; ok {
		return strconv.Atoi(v)
	}
	return 0, nil
}

func (l line) current(key string, def unit.Current) (unit.Current, error) {
	v, ok := l.keys[key]
	if !ok {
		return def, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(v, "A"))
	return unit.Current(n) * unit.Ampere, err
}

// ParseRef reads "1.2", "1" or "0".
func ParseRef(s string) (term.Ref, error) {
	evse, conn, _ := strings.Cut(s, ".")
	e, err := strconv.Atoi(evse)
	if err != nil {
		return term.Ref{}, fmt.Errorf("ref %q: want evse or evse.connector", s)
	}
	r := term.Ref{EVSE: term.EVSEID(e)}
	if conn != "" {
		c, err := strconv.Atoi(conn)
		if err != nil {
			return r, fmt.Errorf("ref %q: want evse or evse.connector", s)
		}
		r.Connector = term.ConnectorID(c)
	}
	return r, nil
}

func (l line) ref(i int) (term.Ref, error) { return ParseRef(l.word(i)) }

// token reads "ALICE" or "ISO14443:ALICE"; the type is ISO14443 if not told.
func token(s string) term.IdToken {
	if kind, value, ok := strings.Cut(s, ":"); ok {
		return term.IdToken{Value: value, Type: term.IdTokenType(kind)}
	}
	return term.IdToken{Value: s, Type: term.TokenISO14443}
}

func evses(s string) ([]term.EVSEID, error) {
	var ids []term.EVSEID
	if s == "" {
		return nil, nil
	}
	for w := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, fmt.Errorf("evses %q: %w", s, err)
		}
		ids = append(ids, term.EVSEID(n))
	}
	return ids, nil
}

// Do carries out one line of a scenario:
//
//	boot [reason=PowerUp] [rtc=-1h] [signs=transactions|readings]     give the station power; what its meters sign
//	powercut [off=10s] [before|after]   take it away and give it back; inside the next step with before or after
//	poweroff                            take it away; boot gives it back
//	link up|down | link up root=A [profile=3]      with TLS: the chain of the CSMS ends in A; a Reconnect does so again
//	keys lost|works [slow=1h]           whether the key store makes keys, and how long it takes
//	csms boot Accepted|Pending|Rejected [interval=300s]
//	csms signs | csms signs not         whether it accepts a SignCertificate
//	csms mute|answer | csms deaf on|off | csms refuse KIND [n=1] | csms clock +1h
//	csms token ALICE Blocked [group=G] [evses=1]
//	plug 1.1 [cable=20A] [most=10A] [notready] | unplug 1.1 [ev] | car 1.1 ready|notready
//	swipe ALICE [evses=1] | stop 1 | bay 1 in|out | fault 1.1 groundFailure on|off | lock 1.1 jammed|free
//	meter 1 silent|answer|backward|honest|refuses [to sign]|signs [takes=20s]|unsigned [energy is as it should be]
//	advance 60s | storage STO-FULL|ok | clock +1h | powerfailing | badmessage | authrefused | thinned T1 n=3
//	uploaded Uploaded|UploadFailure|... [reason=CODE] [number=1]     how the upload went that runs, or that one
//	set COMPONENT/VARIABLE=VALUE ... | get COMPONENT/VARIABLE ... | override COMPONENT/VARIABLE=VALUE ...
//	request NAME ...                    see request.go
//	inventory [COMPONENT [VARIABLE]] | cacheput ALICE Accepted
//	state | quiet on|off | stuck on|off        (stuck: a reboot does not happen)
func (b *Bench) Do(text string) error {
	l := parseLine(text)
	if b.Station == nil && !slices.Contains([]string{"boot", "csms", "advance", "plug", "unplug", "poweroff"}, l.verb) {
		return fmt.Errorf("the station has no power")
	}
	if do := verbs[l.verb]; do != nil {
		if err := do(b, l); err != nil {
			return err
		}
		b.settleWorld()
		return b.check.err
	}
	return fmt.Errorf("unknown command %q", l.verb)
}

// settleWorld lets what is due at this very instant happen.
func (b *Bench) settleWorld() {
	_ = b.Advance(0) // kept by check
}

var verbs = map[string]func(*Bench, line) error{
	"boot": doBoot, "powercut": doPowerCut, "inventory": doInventory, "cacheput": doCachePut, "stuck": func(b *Bench, l line) error { b.stuck = l.has("on"); return nil }, "quiet": func(b *Bench, l line) error { b.silent = l.has("on"); return nil }, "poweroff": func(b *Bench, _ line) error { b.PowerCut(); return nil }, "link": doLink, "csms": doCSMS, "plug": doPlug, "unplug": doUnplug, "car": doCar,
	"swipe": doSwipe, "stop": doStop, "bay": doBay, "fault": doFault, "lock": doLock, "meter": doMeter, "advance": doAdvance,
	"storage": doStorage, "clock": doClock, "request": doRequest, "set": doSet, "get": doGet, "override": doOverride, "state": doState,
	"powerfailing": func(b *Bench, _ line) error { b.step(station.PowerFailing{}); return nil },
	"badmessage":   func(b *Bench, _ line) error { b.step(station.BadMessage{Info: "not JSON"}); return nil },
	"authrefused":  func(b *Bench, _ line) error { b.step(station.AuthRefused{Slot: 1}); return nil },
	"thinned":      doThinned,
	"keys":         doKeys,
	"uploaded":     doUploaded,
	"fetched":      doFetched,
	"fetching":     doFetching,
	"installed":    doInstalled,
	"activated":    doActivated,
	"proved":       doProved,
}

func doBoot(b *Bench, l line) error {
	rtc, err := l.duration("rtc", 0)
	if err != nil {
		return err
	}
	b.rtc, b.reason = rtc, station.BootReason(l.keys["reason"])
	if word := l.keys["signs"]; word != "" {
		how, ok := map[string]station.Signing{"nothing": station.SignsNothing, "transactions": station.SignsTransactions, "readings": station.SignsReadings}[word]
		if !ok {
			return fmt.Errorf("signs=%s: want nothing, transactions or readings", word)
		}
		for i := range b.cfg.EVSEs {
			b.cfg.EVSEs[i].Signs = how
		}
	}
	return b.Boot()
}

func doPowerCut(b *Bench, l line) error {
	off, err := l.duration("off", 10*time.Second)
	if err != nil {
		return err
	}
	switch {
	case l.has("before"):
		b.cut = cutBefore
		return nil
	case l.has("after"):
		b.cut = cutAfter
		return nil
	}
	b.PowerCut()
	if err := b.Advance(off); err != nil {
		return err
	}
	return b.Boot()
}

func doLink(b *Bench, l line) error {
	switch l.word(0) {
	case "up":
		profile, err := l.number("profile")
		if root := l.keys["root"]; root != "" {
			b.secureLink(root, profile)
			return err
		}
		b.LinkUp()
	case "down":
		b.LinkDown()
	default:
		return fmt.Errorf("link %q: want up or down", l.word(0))
	}
	return nil
}

func doCSMS(b *Bench, l line) error {
	c := &b.csms
	switch l.word(0) {
	case "boot":
		c.boot = station.Registration(l.word(1))
		var err error
		c.interval, err = l.duration("interval", 300*time.Second)
		return err
	case "signs":
		c.unsigning = l.word(1) == "not"
	case "mute", "answer":
		c.mute = l.word(0) == "mute"
	case "deaf":
		c.deaf = l.word(1) == "on"
	case "refuse":
		n, err := l.number("n")
		c.refuse[l.word(1)] = max(n, 1)
		return err
	case "clock":
		d, err := time.ParseDuration(l.word(1))
		b.offset += d
		return err
	case "token":
		ids, err := evses(l.keys["evses"])
		info := term.TokenInfo{Status: term.TokenStatus(l.word(2)), EVSEs: ids}
		if g := l.keys["group"]; g != "" {
			info.Group = term.IdToken{Value: g, Type: term.TokenCentral}
		}
		c.tokens[token(l.word(1)).Key()] = info
		return err
	default:
		return fmt.Errorf("csms %q: unknown", l.word(0))
	}
	return nil
}

func doPlug(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil {
		return err
	}
	cable, err := l.current("cable", 32*unit.Ampere)
	if err != nil {
		return err
	}
	most, err := l.current("most", 0)
	if err != nil {
		return err
	}
	return b.Plug(r, cable, most, !l.has("notready"))
}

func doUnplug(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil {
		return err
	}
	return b.Unplug(r, l.has("ev"))
}

func doCar(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil {
		return err
	}
	return b.Ready(r, l.has("ready"))
}

func doSwipe(b *Bench, l line) error {
	ids, err := evses(l.keys["evses"])
	if err != nil {
		return err
	}
	b.step(station.TokenRead{Token: token(l.word(0)), EVSEs: ids})
	return nil
}

func doStop(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil {
		return err
	}
	b.step(station.StopPressed{EVSE: r.EVSE})
	return nil
}

func doBay(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil {
		return err
	}
	b.step(station.BayChanged{EVSE: r.EVSE, Occupied: l.has("in")})
	return nil
}

func doFault(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil {
		return err
	}
	f, ok := term.ParseFault(l.word(1))
	if !ok {
		return fmt.Errorf("fault %q: unknown", l.word(1))
	}
	b.Fault(r, f, l.word(2) != "off")
	return nil
}

func doLock(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil {
		return err
	}
	w, err := b.wire(r)
	if err != nil {
		return err
	}
	w.jammed = l.has("jammed")
	w.settle(b)
	return nil
}

func doMeter(b *Bench, l line) error {
	r, err := l.ref(0)
	if err != nil || int(r.EVSE) > len(b.meters) || r.EVSE < 1 {
		return fmt.Errorf("meter %q: no such EVSE", l.word(0))
	}
	m := b.meter(r.EVSE)
	switch l.word(1) {
	case "silent", "answer":
		m.silent = l.word(1) == "silent"
	case "backward":
		m.lie = unit.WattHour
	case "honest":
		m.lie = 0
	case "refuses", "signs":
		m.signs.refuses = l.word(1) == "refuses"
		if m.signs.takes, err = l.duration("takes", 0); err != nil {
			return err
		}
	case "unsigned":
		b.check.unsigned = true
	default:
		return fmt.Errorf("meter %q: unknown", l.word(1))
	}
	return nil
}

func doAdvance(b *Bench, l line) error {
	d, err := time.ParseDuration(l.word(0))
	if err != nil {
		return err
	}
	return b.Advance(d)
}

func doStorage(b *Bench, l line) error {
	code := l.word(0)
	if code == "ok" {
		code = ""
	}
	b.step(station.StorageChanged{Code: code})
	return nil
}

func doClock(b *Bench, l line) error {
	d, err := time.ParseDuration(l.word(0))
	if err != nil {
		return err
	}
	b.offset += d
	b.step(station.ClockSet{Wall: b.wall(), Source: "Manual"})
	return nil
}

func doThinned(b *Bench, l line) error {
	n, err := l.number("n")
	b.step(station.Thinned{Transaction: term.TransactionID(l.word(0)), Count: n})
	return err
}

func doUploaded(b *Bench, l line) error {
	n, err := l.number("number")
	number := uint64(n)
	if number == 0 {
		if number = b.upload; number == 0 {
			return fmt.Errorf("no upload runs")
		}
		b.upload = 0
	}
	b.step(station.UploadEnded{Number: number, Status: l.word(0), Reason: l.keys["reason"]})
	return err
}

func doInventory(b *Bench, l line) error {
	b.ask(station.GetInventory{Component: l.word(0), Variable: l.word(1)}, 0, false)
	return nil
}

func doCachePut(b *Bench, l line) error {
	e := station.CacheEntry{Token: token(l.word(0)), Info: term.TokenInfo{Status: term.TokenStatus(l.word(1))}}
	b.ask(station.PutAuthCache{Entries: []station.CacheEntry{e}}, 0, false)
	return nil
}

func doState(b *Bench, _ line) error {
	b.ask(station.GetDiagnosticState{}, 0, false)
	return nil
}

// Output returns what was printed since the last call.
func (b *Bench) Output() string {
	s := b.out.String()
	b.out.Reset()
	return s
}

// Run runs a scenario and returns it with the outputs that the station gave now: blocks of commands, a line "----" and
// the output, ended by an empty line. Lines that begin with # are kept; "options bays" before the first command adds
// parking bay sensors, "options lights" lights that blink, "options views" shows every change of a connector's view,
// "options firmware" installs the root of the manufacturer.
func Run(text string) (string, error) {
	var out strings.Builder
	var b *Bench
	opts := Options{}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		switch t := strings.TrimSpace(lines[i]); {
		case t == "----":
			out.WriteString("----\n")
			if b != nil {
				out.WriteString(b.Output())
			}
			for i+1 < len(lines) && strings.TrimSpace(lines[i+1]) != "" {
				i++
			}
		case t == "" || strings.HasPrefix(t, "#"):
			out.WriteString(lines[i] + "\n")
		case strings.HasPrefix(t, "options"):
			opts.Bays, opts.Views, opts.Lights = strings.Contains(t, "bays"), strings.Contains(t, "views"), strings.Contains(t, "lights")
			opts.Firmware = strings.Contains(t, "firmware")
			out.WriteString(lines[i] + "\n")
		default:
			out.WriteString(lines[i] + "\n")
			if b == nil {
				b = New(opts)
			}
			if err := b.Do(t); err != nil {
				return out.String() + b.Output(), fmt.Errorf("line %d: %s: %w", i+1, t, err)
			}
		}
	}
	return out.String(), nil
}
