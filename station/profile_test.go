package station_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/schedule"
	"github.com/evsed/evsed/station/stationtest"
)

func someProfile() schedule.Installed {
	at := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	return schedule.Installed{EVSE: 1, Source: schedule.SourceCSO, Received: at, Profile: schedule.Profile{
		ID: -7, StackLevel: 3, Purpose: schedule.PurposeTx, Kind: schedule.Recurring, Recurrency: schedule.Weekly, ValidFrom: at, ValidTo: at.Add(time.Hour),
		Transaction: "T1", Schedules: []schedule.Schedule{{ID: 2, Start: at, Duration: time.Minute, Unit: schedule.Watts, MinRate: 5,
			Periods: []schedule.Period{{Limit: 1_500}, {Start: 30 * time.Second, Limit: 0, Phases: 1, PhaseToUse: 2}}}}}}
}

func TestProfileRecord(t *testing.T) {
	in := someProfile()
	got, err := station.DecodeProfile(station.EncodeProfile(&in))
	if err != nil || !reflect.DeepEqual(got, in) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "{", "{}", `{"plans":[]}`, `{"plans":[{"unit":"A"}]}`, `{"plans":[{"p":[["x"]]}]}`} {
		if _, err := station.DecodeProfile([]byte(bad)); err == nil {
			t.Errorf("%s is a profile", bad)
		}
	}
}

func TestRestoreProfile(t *testing.T) {
	s := newStation(t)
	in := someProfile()
	if err := s.Restore(station.Record{Bucket: station.BucketProfile, Key: "-7", Value: station.EncodeProfile(&in)}); err != nil {
		t.Fatal(err)
	}
	far := in
	far.EVSE = 9
	for _, r := range []station.Record{{Key: "1", Value: station.EncodeProfile(&far)}, {Key: "1", Value: []byte("{")}, {Key: "start/T3", Value: []byte("{")}} {
		r.Bucket = station.BucketProfile
		if err := s.Restore(r); err == nil {
			t.Errorf("record %s=%s is restored", r.Key, r.Value)
		}
	}
	if err := s.Restore(station.Record{Bucket: station.BucketProfile, Key: "start/T3", Value: station.EncodeProfile(&in)}); err != nil {
		t.Fatal(err)
	}
	// The transactions of both are gone: so are they.
	now := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	gone := map[string]bool{}
	for _, r := range s.Start(now, now).Records {
		if r.Bucket == station.BucketProfile && r.Value == nil {
			gone[r.Key] = true
		}
	}
	if !gone["-7"] || !gone["start/T3"] || len(gone) != 2 {
		t.Errorf("deleted at start: %v", gone)
	}
}

// lines carries out lines and returns what the last of them printed.
func lines(t *testing.T, b *stationtest.Bench, text string) string {
	t.Helper()
	for l := range strings.SplitSeq(text, "\n") {
		b.Output()
		if err := b.Do(l); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	return b.Output()
}

func TestProfilesFillTheirRoom(t *testing.T) {
	b := stationtest.New(stationtest.Options{})
	lines(t, b, "boot\nlink up\nadvance 1s")
	for id := range model.ChargingProfilesMax {
		out := lines(t, b, fmt.Sprintf("request SetChargingProfile evse=%d id=%d stack=%d start=+1h to=+%dh p=0:6,60:7", 1+id%2, id, id/2%16, 2+id/32))
		if id < 32 && !strings.Contains(out, "response Accepted") {
			t.Fatalf("profile %d: %s", id, out)
		}
		if id >= 32 && !strings.Contains(out, "DuplicateProfile") {
			t.Fatalf("profile %d: %s", id, out)
		}
		if id >= 32 {
			lines(t, b, fmt.Sprintf("request SetChargingProfile evse=%d id=%d stack=%d from=+3h start=+3h to=+4h p=0:6", 1+id%2, id, id/2%16))
		}
	}
	if out := lines(t, b, "request SetChargingProfile evse=1 id=99 from=+5h start=+5h p=0:6"); !strings.Contains(out, "OutOfStorage") {
		t.Errorf("one more: %s", out)
	}
	lines(t, b, "advance 2h") // the first half is over
	if out := lines(t, b, "request SetChargingProfile evse=1 id=99 from=+5h start=+5h p=0:6"); !strings.Contains(out, "-profile/31 profile/99 sync") {
		t.Errorf("in place of what is over: %s", out)
	}
	lines(t, b, "request GetChargingProfiles req=1")
	told := 0
	for range 20 {
		told += strings.Count(lines(t, b, "advance 100ms"), "; TxDefaultProfile/")
	}
	if told != 33-8 { // the first part came with the answer
		t.Errorf("%d profiles in later parts", told)
	}
}

// What lasted for a while and is over makes room too, and is in the way of none at its level.
func TestProfilesThatAreOver(t *testing.T) {
	b := stationtest.New(stationtest.Options{})
	lines(t, b, "boot\nlink up\nadvance 1s")
	for id := range model.ChargingProfilesMax {
		lines(t, b, fmt.Sprintf("request SetChargingProfile evse=%d id=%d stack=%d start=+0s dur=1h p=0:6", 1+id%2, id, id/2%16))
		if id == 31 {
			lines(t, b, "advance 1h")
		}
	}
	if out := lines(t, b, "request SetChargingProfile evse=1 id=99 stack=0 start=+0s p=0:6"); !strings.Contains(out, "Duplicate") || !strings.Contains(out, "-profile/31 sync") {
		t.Errorf("beside the one of this hour: %s", out)
	}
	lines(t, b, "advance 1h")
	if out := lines(t, b, "request SetChargingProfile evse=1 id=99 stack=0 start=+0s p=0:6"); !strings.Contains(out, "Accepted") {
		t.Errorf("beside one that is over: %s", out)
	}
}

// A profile that is sent again as it is costs no write; another limit does.
func TestProfileSentAgain(t *testing.T) {
	b := stationtest.New(stationtest.Options{})
	out := lines(t, b, "boot\nlink up\nadvance 1s\nrequest SetChargingProfile evse=1 id=1 p=0:6")
	if !strings.Contains(out, "record profile/1") {
		t.Errorf("first: %s", out)
	}
	if out := lines(t, b, "advance 9s\nrequest SetChargingProfile evse=1 id=1 p=0:6"); strings.Contains(out, "record") || !strings.Contains(out, "Accepted") {
		t.Errorf("again: %s", out)
	}
	if out := lines(t, b, "request SetChargingProfile evse=1 id=1 p=0:7"); !strings.Contains(out, "record profile/1") {
		t.Errorf("another: %s", out)
	}
}

// More listings at once than are told at a time are refused, and a listing ends with its connection.
func TestProfileListings(t *testing.T) {
	b := stationtest.New(stationtest.Options{})
	lines(t, b, "boot\nlink up\nadvance 1s\nrequest SetChargingProfile evse=1 id=1 p=0:6\nrequest SetChargingProfile evse=2 id=2 p=0:6\ncsms mute")
	for range 4 {
		lines(t, b, "request GetChargingProfiles req=1")
	}
	if out := lines(t, b, "request GetChargingProfiles req=1"); !strings.Contains(out, "InternalError") {
		t.Errorf("the fifth: %s", out)
	}
	lines(t, b, "csms answer\nlink down\nlink up\nadvance 1s")
	if out := lines(t, b, "request GetChargingProfiles req=2 evse=1"); !strings.Contains(out, "id=2 evse=1") {
		t.Errorf("after the connection: %s", out)
	}
}
