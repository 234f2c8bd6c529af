package station_test

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// logged is a station with a security log in front of the test, whose store keeps what it records.
type logged struct {
	*testing.T
	s     *station.Station
	now   time.Time
	kept  map[string]station.Record
	last  uint64 // of the log
	tells []string
	logs  []station.LogSecurity
}

func newLogged(t *testing.T) *logged {
	return &logged{T: t, now: time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC), kept: map[string]station.Record{}}
}

// boot starts a station from what is kept; the log is as the test says.
func (l *logged) boot(breaks ...string) {
	l.Helper()
	s, err := station.New(station.Config{EVSEs: []station.EVSE{{ID: 1, Phases: 1, Connectors: []station.Connector{{ID: 1, Type: "cType2"}}}},
		NewID: func() string { return "id" }, SecurityLog: station.SecurityLog{Kept: true, Last: l.last, Breaks: breaks}})
	if err != nil {
		l.Fatal(err)
	}
	for _, r := range l.kept {
		if err := s.Restore(r); err != nil {
			l.Fatal(err)
		}
	}
	l.s = s
	l.take(s.Start(l.now, l.now.AddDate(50, 0, 0)))
}

func (l *logged) step(ev station.Event) {
	l.Helper()
	l.take(l.s.Step(l.now, ev))
}

// take carries out an output: kept is what was recorded, tells the kept reports, logs the entries.
func (l *logged) take(o station.Output) {
	l.Helper()
	for _, r := range o.Records {
		key := fmt.Sprint(r.Bucket, r.Key)
		if l.kept[key] = r; r.Value == nil {
			delete(l.kept, key)
		}
	}
	for _, r := range o.Reports {
		if b, ok := r.Body.(station.SecurityEvent); ok {
			l.tells = append(l.tells, b.Type+" "+b.Info)
		}
	}
	for _, c := range o.Commands {
		if e, ok := c.(station.LogSecurity); ok {
			l.logs = append(l.logs, e)
		}
	}
}

// want checks the entries since the last call, by number, type and info.
func (l *logged) want(entries ...string) {
	l.Helper()
	var got []string
	for _, e := range l.logs {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Number, e.Type, e.Info)))
	}
	if !slices.Equal(got, entries) {
		l.Errorf("logged %q, want %q", got, entries)
	}
	l.logs = nil
}

func tamper(on bool, info string) station.FaultChanged {
	return station.FaultChanged{Fault: term.FaultTamper, Active: on, Info: info}
}

// covers: A04.FR.04
func TestEventsAreLogged(t *testing.T) {
	l := newLogged(t)
	l.boot()
	l.step(tamper(true, "lid"))
	l.step(station.BadMessage{Info: "not critical, and offline"})
	l.want("1 StartupOfTheDevice PowerUp", "2 TamperDetectionActivated lid", "3 InvalidMessages not critical, and offline")
	// Of these only the critical ones are told once there is a CSMS.
	if want := []string{"StartupOfTheDevice PowerUp", "TamperDetectionActivated lid"}; !slices.Equal(l.tells, want) {
		t.Errorf("told %q, want %q", l.tells, want)
	}
	l.step(station.SecurityLogged{To: 3})
	l.last = 3
	for k := range l.kept {
		if strings.Contains(k, "security/") {
			t.Errorf("%s is still kept", k)
		}
	}
	l.boot()
	l.want("4 StartupOfTheDevice PowerUp")
}

// Memory of either kind that is full is one event, told after offline.
func TestMemoryExhaustion(t *testing.T) {
	l := newLogged(t)
	l.boot()
	l.logs, l.tells = nil, nil
	l.step(station.StorageChanged{Code: "STO-FULL"})
	l.step(station.MemoryShort{Live: 25 << 20})
	l.want("2 MemoryExhaustion STO-FULL", "3 MemoryExhaustion RAM: 25600 KiB are in use")
	if len(l.tells) != 2 {
		t.Errorf("told %q", l.tells)
	}
}

// A CSMS that the station does not trust is told to the one that it trusts next: each cause once an hour.
//
// covers: A00.FR.316 A00.FR.419
func TestDistrustIsToldOncePerCause(t *testing.T) {
	l := newLogged(t)
	l.boot()
	l.logs, l.tells = nil, nil
	for range 50 {
		for _, kind := range []string{station.InvalidTLSVersion, station.InvalidTLSCipherSuite, station.InvalidCsmsCertificate} {
			l.step(station.CSMSDistrusted{Slot: 1, Kind: kind, Info: "slot 1"})
		}
		l.now = l.now.Add(time.Minute)
	}
	l.want("2 InvalidTLSVersion slot 1", "3 InvalidTLSCipherSuite slot 1", "4 InvalidCsmsCertificate slot 1")
	if len(l.tells) != 3 {
		t.Errorf("told %q", l.tells)
	}
}

// What had not reached the log when the process was killed reaches it in the next life.
func TestEntriesSurviveAKill(t *testing.T) {
	l := newLogged(t)
	l.boot()
	l.step(tamper(true, "lid"))
	l.want("1 StartupOfTheDevice PowerUp", "2 TamperDetectionActivated lid")
	l.last = 1 // the second one did not arrive, and nobody heard of the first
	l.boot()
	l.want("1 StartupOfTheDevice PowerUp", "2 TamperDetectionActivated lid", "3 StartupOfTheDevice PowerUp")
}

// A log that does not hold what it held, or cannot be verified, was cleared; each finding is told once.
func TestSecurityLogWasCleared(t *testing.T) {
	l := newLogged(t)
	l.boot()
	l.step(station.SecurityLogged{To: 1})
	l.logs = nil
	l.last = 0
	l.boot()
	l.want("2 SecurityLogWasCleared ends at 0, was at 1", "3 StartupOfTheDevice PowerUp")
	l.step(station.SecurityLogged{To: 3})
	l.last = 3
	l.boot("after 1: 2 does not follow", "after 2: 3 does not follow")
	l.want("4 SecurityLogWasCleared after 1: 2 does not follow", "5 SecurityLogWasCleared after 2: 3 does not follow", "6 StartupOfTheDevice PowerUp")
	l.last = 6
	l.boot("after 2: 3 does not follow")
	l.want("4 SecurityLogWasCleared after 1: 2 does not follow", "5 SecurityLogWasCleared after 2: 3 does not follow", "6 StartupOfTheDevice PowerUp",
		"7 StartupOfTheDevice PowerUp") // nobody had told that 4 to 6 arrived
	l.step(station.SecurityLogged{To: 7})
	l.last = 7
	l.boot()
	l.want("8 StartupOfTheDevice PowerUp")
	if n := len(slices.DeleteFunc(l.tells, func(s string) bool { return !strings.HasPrefix(s, "SecurityLogWasCleared") })); n != 3 {
		t.Errorf("%d are told, want 3: %q", n, l.tells)
	}
}

// Nobody fills the log, or the line: what comes too often is counted, and the count is told ever less often.
func TestRepeatedEventsAreCounted(t *testing.T) {
	l := newLogged(t)
	l.boot()
	l.want("1 StartupOfTheDevice PowerUp")
	from := l.now
	for i := range 24 * 3600 {
		l.now = from.Add(time.Duration(i) * time.Second)
		l.step(station.BadMessage{Info: fmt.Sprint("nonsense ", i)})
		l.step(station.SecurityLogged{To: 1000})
	}
	l.now = l.now.Add(2 * time.Hour)
	l.step(nil)
	told := 0
	for _, e := range l.logs {
		var n int
		if e.Info == "nonsense 0" {
			told++
		} else if _, err := fmt.Sscanf(e.Info, "repeated %d times: nonsense", &n); err != nil {
			t.Errorf("%q: %v", e.Info, err)
		}
		told += n
	}
	if len(l.logs) > 32 || told != 24*3600 {
		t.Errorf("%d entries for %d events, of a flood of %d", len(l.logs), told, 24*3600)
	}
	// Quiet for long enough, the next one is told as the first.
	l.logs = nil
	l.now = l.now.Add(3 * time.Hour)
	l.step(station.BadMessage{Info: "again"})
	if len(l.logs) != 1 || l.logs[0].Info != "again" {
		t.Errorf("%v", l.logs)
	}
}

// Events that differ are told one by one, as far as the burst of their kind goes; alike ones are counted.
func TestAlikeEventsAreCounted(t *testing.T) {
	l := newLogged(t)
	l.boot()
	for range 3 {
		for _, info := range []string{"lid", "door"} {
			l.step(tamper(true, info))
			l.step(tamper(false, ""))
		}
	}
	l.want("1 StartupOfTheDevice PowerUp", "2 TamperDetectionActivated lid", "3 TamperDetectionActivated door")
	l.now = l.now.Add(10 * time.Minute)
	l.step(nil)
	l.want("4 TamperDetectionActivated repeated 4 times: door")
}

// While the log takes nothing a bounded number waits, and the others show as missing numbers.
func TestUnloggedEventsAreBounded(t *testing.T) {
	l := newLogged(t)
	l.boot()
	for i := range 500 {
		l.now = l.now.Add(2 * time.Hour)
		l.step(tamper(true, fmt.Sprint("t", i)))
		l.step(tamper(false, ""))
	}
	if n := len(l.logs); n != 64 {
		t.Errorf("%d entries wait, want 64", n)
	}
	l.logs = nil
	l.step(station.SecurityLogged{To: 64})
	l.step(tamper(true, "last"))
	if len(l.logs) != 1 || l.logs[0].Number != 502 {
		t.Errorf("%v", l.logs)
	}
}

// appendices names a directory of the appendices of OCPP: without it the table is not compared with them.
const appendices = "APPENDICES"

// Every event of the appendix is one that this station can raise, but for those of an interface that it does not have, and
// what is critical there is told after offline here.
//
// covers: A04.FR.01 A04.FR.02
func TestSecurityEventsOfTheAppendix(t *testing.T) {
	dir := os.Getenv(appendices)
	if dir == "" {
		t.Skip(appendices + " is not set: it names the directory with security_events.csv")
	}
	f, err := os.Open(dir + "/security_events.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes = ';', true
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 20 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		critical, known := station.CriticalSecurityEvent(row[0])
		if absent := strings.HasPrefix(row[0], "MaintenanceLogin"); known == absent {
			t.Errorf("%s: known %t", row[0], known)
		}
		if known && row[2] == "Yes" && !critical {
			t.Errorf("%s is critical, and is not told after offline", row[0])
		}
	}
}

// How far the clock must move to be told is set by the CSMS: TimeAdjustmentReportingThreshold.
func TestTimeAdjustmentReportingThreshold(t *testing.T) {
	for threshold, want := range map[string][]bool{"20": {false, true, true}, "100": {false, false, true}, "5": {true, true, true}} {
		l := newLogged(t)
		l.kept["threshold"] = station.Record{Bucket: station.BucketVariable, Key: "ClockCtrlr/TimeAdjustmentReportingThreshold", Value: []byte(threshold)}
		l.boot()
		for i, jump := range []time.Duration{10 * time.Second, -50 * time.Second, 200 * time.Second} {
			l.logs = nil
			wall := l.now.AddDate(50, 0, 0)
			l.step(station.ClockSet{Wall: wall, Source: "NTP"})
			l.logs = nil
			l.now = l.now.Add(time.Second)
			l.step(station.ClockSet{Wall: wall.Add(time.Second + jump), Source: "NTP"})
			if got := len(l.logs) > 0; got != want[i] {
				t.Errorf("threshold %s, moved by %s: told %t", threshold, jump, got)
			}
		}
	}
}
