package msg16

import (
	"errors"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

func TestRoundTrip(t *testing.T) {
	kinds(func(name string, fresh func() Message) {
		for _, full := range []bool{false, true} {
			want := sample(fresh(), full)
			text := encoded(t, want)
			got := fresh()
			if err := decodeText(got, text); err != nil {
				t.Errorf("%s full %t: %v\n%s", name, full, err, text)
				continue
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s full %t: got  %+v\nwant %+v", name, full, got, want)
			}
			if again := encoded(t, got); again != text {
				t.Errorf("%s full %t: %s\nbecame %s", name, full, text, again)
			}
		}
	})
}

// TestReuse decodes a small message into a value that held a large one: nothing may be left over.
func TestReuse(t *testing.T) {
	kinds(func(name string, fresh func() Message) {
		small := encoded(t, sample(fresh(), false))
		used := sample(fresh(), true)
		if err := decodeText(used, small); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again := encoded(t, used); again != small {
			t.Errorf("%s: got %s, want %s", name, again, small)
		}
		Clear(used)
		empty, _ := AppendJSON(nil, fresh())
		if again, _ := AppendJSON(nil, used); string(again) != string(empty) {
			t.Errorf("%s: cleared it is %s, want %s", name, again, empty)
		}
	})
}

// TestReuseKeepsCapacity: what a message has grown to is used again.
func TestReuseKeepsCapacity(t *testing.T) {
	text := encoded(t, sample(&MeterValuesRequest{}, true))
	var x MeterValuesRequest
	var b rpc.Body
	read := func() {
		b.Reset(text, rpc.Limits{})
		if err := Decode(&b, &x); err != nil {
			t.Fatal(err)
		}
	}
	read()
	// The escaped line feeds of the sample values are one growing buffer.
	if got := testing.AllocsPerRun(100, read); got > 3 {
		t.Errorf("%v allocations", got)
	}
}

func TestActions(t *testing.T) {
	all := Actions()
	if !sort.SliceIsSorted(all, func(i, j int) bool { return all[i].Name < all[j].Name }) {
		t.Error("the actions are not sorted")
	}
	station, csms, profiles := 0, 0, map[Profile]int{}
	for _, a := range all {
		request, ok := NewRequest(a.Name)
		if !ok || Action(request) != a.Name || reflect.TypeOf(request).Elem().Name() != a.Name+"Request" {
			t.Errorf("%s: request %T", a.Name, request)
		}
		response, ok := NewResponse(a.Name)
		if !ok || Action(response) != a.Name || reflect.TypeOf(response).Elem().Name() != a.Name+"Response" {
			t.Errorf("%s: response %T", a.Name, response)
		}
		if found, ok := Lookup(a.Name); !ok || found != a {
			t.Errorf("%s: looked up %+v", a.Name, found)
		}
		station += int(a.From & FromStation)
		csms += int(a.From&FromCSMS) / int(FromCSMS)
		profiles[a.Profile]++
	}
	want := map[Profile]int{Core: 16, FirmwareManagement: 4, LocalAuthListManagement: 2, Reservation: 2, SmartCharging: 3, RemoteTrigger: 1, Security: 11}
	if len(all) != 28+11 || station != 10+4 || csms != 19+7 || !reflect.DeepEqual(profiles, want) {
		t.Errorf("%d actions, %d from the station, %d from the CSMS, profiles %v", len(all), station, csms, profiles)
	}
	for _, action := range []string{"", "Nope", "bootNotification", "BootNotificationRequest", "BootNotification.req", "TransactionEvent", "ZZZ"} {
		_, a := NewRequest(action)
		_, b := NewResponse(action)
		if _, c := Lookup(action); a || b || c {
			t.Errorf("%q is an action", action)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		action, in string
		code       rpc.ErrorCode
		text       string
	}{
		{"BootNotification", `{"chargePointVendor":"v"}`, "OccurenceConstraintViolation", "chargePointModel: required member missing"},
		{"BootNotification", `{"chargePointVendor":"v","chargePointModel":7}`, "TypeConstraintViolation", "chargePointModel: want a string"},
		{"BootNotification", `{"chargePointVendor":"v","chargePointModel":null}`, "TypeConstraintViolation", "chargePointModel: want a string, not null"},
		{"BootNotification", `{"chargePointVendor":"123456789012345678901"}`, "PropertyConstraintViolation", "chargePointVendor: characters above 20"},
		{"BootNotification", `{"chargePointVendor":"v","chargePointModel":"m","customData":{"vendorId":"x"}}`, "FormationViolation", "customData: unknown member"},
		{"BootNotification", `{"ChargePointVendor":"v"}`, "FormationViolation", "ChargePointVendor: unknown member"},
		{"BootNotification", `{"chargePointVendor":"v","chargePointVendor":"w"}`, "FormationViolation", "chargePointVendor: member given twice"},
		{"BootNotification", `{"chargePointVendor":`, "FormationViolation", "chargePointVendor: unexpected end"},
		{"Reset", `{"type":"hard"}`, "PropertyConstraintViolation", "type: value not in the enumeration"},
		{"RemoteStopTransaction", `{"transactionId":1.5}`, "TypeConstraintViolation", "transactionId: want an integer"},
		{"RemoteStopTransaction", `{"transactionId":2147483648}`, "PropertyConstraintViolation", "transactionId: above 2147483647"},
		{"RemoteStopTransaction", `{"transactionId":"1"}`, "TypeConstraintViolation", "transactionId: want a number"},
		{"GetConfiguration", `{"key":"HeartbeatInterval"}`, "TypeConstraintViolation", "key: want a list"},
		{"GetConfiguration", `{"key":["a",1]}`, "TypeConstraintViolation", "key[1]: want a string"},
		{"DataTransfer", `{"vendorId":"v","data":{}}`, "TypeConstraintViolation", "data: want a string"},
		{"UpdateFirmware", `{"location":"ftp://x","retrieveDate":"tomorrow"}`, "PropertyConstraintViolation", "retrieveDate: not an RFC 3339 date-time"},
		{"SendLocalList", `{"listVersion":1,"updateType":"Full","localAuthorizationList":[{"idTag":"A"},{"idTag":"B","idTagInfo":{}}]}`,
			"OccurenceConstraintViolation", "localAuthorizationList[1].idTagInfo.status: required member missing"},
		{"SetChargingProfile", profile(`{"startPeriod":0,"limit":16.1},{"startPeriod":60,"limit":6.05}`), "PropertyConstraintViolation",
			"csChargingProfiles.chargingSchedule.chargingSchedulePeriod[1].limit: not a multiple of 0.1"},
		{"SetChargingProfile", profile(`{"startPeriod":0,"limit":"16"}`), "TypeConstraintViolation",
			"csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0].limit: want a number"},
	}
	for _, tt := range tests {
		m, _ := NewRequest(tt.action)
		err := decodeText(m, tt.in)
		var e *rpc.DecodeError
		if !errors.As(err, &e) || e.Code.In(rpc.V16) != tt.code || e.Error() != tt.text {
			t.Errorf("%s %s: got %v, want %s %q", tt.action, tt.in, err, tt.code, tt.text)
		}
	}
}

func profile(periods string) string {
	return `{"connectorId":1,"csChargingProfiles":{"chargingProfileId":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile",` +
		`"chargingProfileKind":"Relative","chargingSchedule":{"chargingRateUnit":"A","chargingSchedulePeriod":[` + periods + `]}}}`
}

// TestTenths: a binary fraction cannot tell which of these is a multiple of 0.1.
func TestTenths(t *testing.T) {
	for in, want := range map[string]bool{"0": true, "0.1": true, "16.3": true, "16.30": true, "32": true, "1.61e1": true, "-0.7": true,
		"16.30000000000001": false, "0.05": false, "1e-2": false, "123456789012.3": true, "123456789012.34": false} {
		var x SetChargingProfileRequest
		err := decodeText(&x, profile(`{"startPeriod":0,"limit":`+in+`}`))
		if (err == nil) != want {
			t.Errorf("%s: got %v", in, err)
		}
		d, err := rpc.ParseDecimal(in)
		if err != nil {
			t.Fatal(err)
		}
		y := ChargingSchedulePeriod{Limit: d}
		_, err = AppendJSON(nil, &GetCompositeScheduleResponse{Status: GetCompositeScheduleStatusAccepted, ChargingSchedule: Some(
			ChargingSchedule{ChargingRateUnit: ChargingRateUnitA, ChargingSchedulePeriod: []ChargingSchedulePeriod{y}})})
		if (err == nil) != want {
			t.Errorf("%s: written with %v", in, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name string
		m    Message
		want string
	}{
		{"no value", &ResetRequest{}, "type: required and empty"},
		{"value of 2.x", &ResetRequest{Type: "Immediate"}, "type: value not in the enumeration"},
		{"value of another enumeration", &FirmwareStatusNotificationRequest{Status: "InvalidSignature"}, "status: value not in the enumeration"},
		{"too long", &AuthorizeRequest{IdTag: strings.Repeat("é", 21)}, "idTag: characters above 20"},
		{"as long as may be", &AuthorizeRequest{IdTag: strings.Repeat("é", 20)}, ""},
		{"empty list", &GetInstalledCertificateIdsResponse{Status: GetInstalledCertificateStatusNotFound}, ""},
		{"no time", &HeartbeatResponse{}, ""},
		{"below", &BootNotificationResponse{Status: RegistrationStatusAccepted, Interval: -1 << 31}, ""},
	}
	for _, tt := range tests {
		dst := []byte("kept")
		out, err := AppendJSON(dst, tt.m)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if !strings.HasPrefix(string(out), "kept") || err != nil && string(out) != "kept" {
			t.Errorf("%s: dst became %s", tt.name, out)
		}
	}
}

// TestBothSpellings: 1.6 misspelt a unit, and has both spellings since.
func TestBothSpellings(t *testing.T) {
	var x MeterValuesRequest
	in := `{"connectorId":1,"meterValue":[{"timestamp":"2024-02-29T12:00:00.000Z","sampledValue":[{"value":"1","unit":"Celcius"},{"value":"1","unit":"Celsius"}]}]}`
	if err := decodeText(&x, in); err != nil {
		t.Fatal(err)
	}
	if got := encoded(t, &x); got != in {
		t.Errorf("got %s, want %s", got, in)
	}
	if v := x.MeterValue[0].SampledValue; v[0].Unit != UnitOfMeasureCelcius || v[1].Unit != UnitOfMeasureCelsius {
		t.Errorf("got %+v", v)
	}
}

func TestDecodeEach(t *testing.T) {
	item, bare := `{"idTag":"T","idTagInfo":{"parentIdTag":"P","status":"Blocked"}}`, `{"idTag":"U"}`
	var b rpc.Body
	b.Reset(`{"localAuthorizationList":[`+strings.Repeat(item+","+bare+",", 1500)+bare+`],"listVersion":7,"updateType":"Full"}`, rpc.Limits{})
	var x SendLocalListRequest
	n, tags := 0, map[string]int{}
	err := x.DecodeEach(&b, func(a *AuthorizationData) error {
		n++
		tags[a.IdTag]++
		if a.IdTagInfo.Has != (a.IdTag == "T") || a.IdTagInfo.V.ParentIdTag.Has != (a.IdTag == "T") {
			t.Fatalf("element %d kept something of the one before: %+v", n, a)
		}
		return nil
	})
	if err != nil || n != 3001 || tags["T"] != 1500 || x.ListVersion != 7 || x.UpdateType != UpdateFull || len(x.LocalAuthorizationList) != 0 {
		t.Fatalf("got %v, %d elements, %+v", err, n, x)
	}
	if err := Decode(&b, &x); err == nil {
		t.Error("Decode keeps 3001 elements")
	}
	full := errors.New("stage is full")
	if err := x.DecodeEach(&b, func(*AuthorizationData) error { return full }); err != full {
		t.Errorf("got %v, want the error of the callee", err)
	}
	b.Reset(`{"localAuthorizationList":[`+bare+`,{"idTag":1}],"listVersion":7,"updateType":"Full"}`, rpc.Limits{})
	n = 0
	err = x.DecodeEach(&b, func(*AuthorizationData) error { n++; return nil })
	var e *rpc.DecodeError
	if !errors.As(err, &e) || e.Path != "localAuthorizationList[1].idTag" || n != 1 {
		t.Errorf("got %v after %d elements: an element that is not valid must not be handed on", err, n)
	}
}
