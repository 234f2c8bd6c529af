package msg2

import (
	"errors"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

func TestRoundTrip(t *testing.T) {
	kinds(func(name string, v Version, fresh func() Message) {
		for _, full := range []bool{false, true} {
			want := sampler{v, full}.message(fresh())
			text, err := AppendJSON(nil, want, v)
			if err != nil {
				t.Errorf("%s full %t: %v", name, full, err)
				continue
			}
			got := fresh()
			if err := decode(got, text, v); err != nil {
				t.Errorf("%s full %t: %v\n%s", name, full, err, text)
				continue
			}
			if !reflect.DeepEqual(got, want) && full {
				t.Errorf("%s: got  %+v\nwant %+v", name, got, want)
			}
			again, err := AppendJSON(nil, got, v)
			if err != nil || string(again) != string(text) {
				t.Errorf("%s full %t: %s\nbecame %s, %v", name, full, text, again, err)
			}
		}
	})
}

// TestReuse decodes a small message into a value that held a large one: nothing may be left over.
func TestReuse(t *testing.T) {
	kinds(func(name string, v Version, fresh func() Message) {
		small, err := AppendJSON(nil, sampler{v, false}.message(fresh()), v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		used := sampler{v, true}.message(fresh())
		if err := decode(used, small, v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again, err := AppendJSON(nil, used, v); err != nil || string(again) != string(small) {
			t.Errorf("%s: got %s, %v, want %s", name, again, err, small)
		}
		Clear(used)
		empty, _ := AppendJSON(nil, fresh(), v)
		if again, _ := AppendJSON(nil, used, v); string(again) != string(empty) {
			t.Errorf("%s: after Reset %s, want %s", name, again, empty)
		}
	})
}

func TestActions(t *testing.T) {
	all := Actions()
	if !sort.SliceIsSorted(all, func(i, j int) bool { return all[i].Name < all[j].Name }) {
		t.Error("the actions are not sorted")
	}
	old, station, silent := 0, 0, 0
	for _, a := range all {
		request, ok := NewRequest(a.Name, V21)
		if !ok || Action(request) != a.Name {
			t.Errorf("%s: no request", a.Name)
		}
		response, ok := NewResponse(a.Name, V21)
		if ok != a.Response || ok && Action(response) != a.Name {
			t.Errorf("%s: response %t, want %t", a.Name, ok, a.Response)
		}
		if _, ok := NewRequest(a.Name, V201); ok != (a.Since == V201) {
			t.Errorf("%s in 2.0.1: %t", a.Name, ok)
		}
		old += btoi(a.Since == V201)
		station += btoi(a.From&FromStation != 0)
		silent += btoi(!a.Response)
	}
	if len(all) != 91 || old != 64 || silent != 1 {
		t.Errorf("%d actions, %d of 2.0.1, %d without response", len(all), old, silent)
	}
	for _, action := range []string{"", "Nope", "bootNotification", "BootNotificationRequest", "ZZZ"} {
		if _, ok := NewRequest(action, V21); ok {
			t.Errorf("%q is an action", action)
		}
		if _, ok := Lookup(action); ok {
			t.Errorf("%q can be looked up", action)
		}
	}
	if a, ok := Lookup("DataTransfer"); !ok || a.From != Both {
		t.Errorf("DataTransfer: %+v", a)
	}
}

func btoi(v bool) int {
	if v {
		return 1
	}
	return 0
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		action, in string
		v          Version
		code       rpc.ErrorCode
		text       string
	}{
		{"BootNotification", `{"reason":"PowerUp"}`, V201, rpc.OccurrenceConstraintViolation, "chargingStation: required member missing"},
		{"BootNotification", `{"reason":"PowerUp","chargingStation":{"model":"a","vendorName":7}}`, V201, rpc.TypeConstraintViolation, "chargingStation.vendorName: want a string"},
		{"BootNotification", `{"reason":"PowerUp","chargingStation":{"model":"123456789012345678901","vendorName":"v"}}`, V201, rpc.PropertyConstraintViolation, "chargingStation.model: characters above 20"},
		{"BootNotification", `{"reason":"Boredom"}`, V201, rpc.PropertyConstraintViolation, "reason: value not in the enumeration"},
		{"BootNotification", `{"Reason":"PowerUp"}`, V201, rpc.FormatViolation, "Reason: unknown member"},
		{"BootNotification", `{"customData":{}}`, V201, rpc.OccurrenceConstraintViolation, "customData.vendorId: required member missing"},
		{"GetVariables", `{"getVariableData":[]}`, V201, rpc.OccurrenceConstraintViolation, "getVariableData: elements below 1"},
		{"GetVariables", `{"getVariableData":{}}`, V201, rpc.TypeConstraintViolation, "getVariableData: want a list"},
		{"GetVariables", `{"getVariableData":[{"component":{"name":"c"},"variable":{"name":"v"}},{"component":{"name":"c"},"variable":{}}]}`, V201, rpc.OccurrenceConstraintViolation, "getVariableData[1].variable.name: required member missing"},
		{"Authorize", `{"idToken":{"idToken":"A","type":"Magic"}}`, V201, rpc.PropertyConstraintViolation, "idToken.type: value not in the enumeration"},
		{"Authorize", `{"idToken":{"idToken":"A","type":"ISO14443"},"tariff":{}}`, V201, rpc.FormatViolation, "tariff: unknown member"},
		{"Reset", `{"type":"ImmediateAndResume"}`, V201, rpc.PropertyConstraintViolation, "type: value not in the enumeration"},
		{"Reset", `{"type":"Immediate","evseId":-1}`, V21, rpc.PropertyConstraintViolation, "evseId: below 0"},
		{"SetChargingProfile", `{"evseId":1,"chargingProfile":{"id":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative","chargingSchedule":[{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0}]}]}}`, V201, rpc.OccurrenceConstraintViolation, "chargingProfile.chargingSchedule[0].chargingSchedulePeriod[0].limit: required member missing"},
	}
	for _, tt := range tests {
		m, _ := NewRequest(tt.action, tt.v)
		err := decode(m, []byte(tt.in), tt.v)
		var e *rpc.DecodeError
		if !errors.As(err, &e) || e.Code != tt.code || e.Error() != tt.text {
			t.Errorf("%s %s: got %v, want %s %q", tt.action, tt.in, err, tt.code, tt.text)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	period := ChargingSchedulePeriod{}
	profile := func() *SetChargingProfileRequest {
		x := &SetChargingProfileRequest{}
		sampler{V21, false}.message(x)
		x.ChargingProfile.ChargingProfilePurpose = ChargingProfilePurposeTxProfile
		x.ChargingProfile.ChargingProfileKind = ChargingProfileKindRelative
		x.ChargingProfile.ChargingSchedule[0].ChargingSchedulePeriod = []ChargingSchedulePeriod{period}
		return x
	}
	tests := []struct {
		name string
		m    Message
		v    Version
		want string
	}{
		{"required in 2.0.1 only", profile(), V201, "chargingProfile.chargingSchedule[0].chargingSchedulePeriod[0].limit: required in this version"},
		{"required in 2.0.1 only", profile(), V21, ""},
		{"value of 2.1", &ResetRequest{Type: ResetImmediateAndResume}, V201, "type: value unknown in this version: ImmediateAndResume"},
		{"value of 2.1", &ResetRequest{Type: ResetImmediateAndResume}, V21, ""},
		{"no value", &ResetRequest{}, V21, "type: required and empty"},
		{"free text", &AuthorizeRequest{IdToken: IdToken{IdToken: "A", Type: "VIN"}}, V201, "idToken.type: value not in the enumeration"},
		{"free text", &AuthorizeRequest{IdToken: IdToken{IdToken: "A", Type: "VIN"}}, V21, ""},
		{"longer in 2.1", &AuthorizeRequest{IdToken: IdToken{IdToken: strings.Repeat("A", 37), Type: IdTokenEnumCentral}}, V201, "idToken.idToken: characters above 36"},
		{"longer in 2.1", &AuthorizeRequest{IdToken: IdToken{IdToken: strings.Repeat("A", 37), Type: IdTokenEnumCentral}}, V21, ""},
		{"bounded by the text of 2.0.1", &ResetRequest{Type: ResetImmediate, EVSEID: Some(-1)}, V201, "evseId: below 0"},
		{"empty list", &GetVariablesRequest{}, V201, "getVariableData: elements below 1"},
	}
	for _, tt := range tests {
		_, err := AppendJSON(nil, tt.m, tt.v)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s, %s: got %q, want %q", tt.name, tt.v, got, tt.want)
		}
	}
}

// TestOnlyOf21 checks that optional members of 2.1 are left out toward 2.0.1.
func TestOnlyOf21(t *testing.T) {
	x := AuthorizeResponse{IdTokenInfo: IdTokenInfo{Status: AuthorizationStatusAccepted}, AllowedEnergyTransfer: []EnergyTransferMode{EnergyTransferModeDC}}
	for v, want := range map[Version]string{
		V201: `{"idTokenInfo":{"status":"Accepted"}}`,
		V21:  `{"idTokenInfo":{"status":"Accepted"},"allowedEnergyTransfer":["DC"]}`,
	} {
		if got, err := AppendJSON(nil, &x, v); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", v, got, err, want)
		}
	}
}

func TestDecodeEach(t *testing.T) {
	item := `{"idToken":{"idToken":"T","type":"ISO14443","additionalInfo":[{"additionalIdToken":"a","type":"b"}]}}`
	bare := `{"idToken":{"idToken":"U","type":"ISO14443"}}`
	in := `{"localAuthorizationList":[` + strings.Repeat(item+","+bare+",", 1500) + bare + `],"versionNumber":7,"updateType":"Full"}`
	var b rpc.Body
	b.Reset(in, rpc.Limits{})
	var x SendLocalListRequest
	n, tokens := 0, map[string]int{}
	err := x.DecodeEach(&b, V201, func(a *AuthorizationData) error {
		n++
		tokens[a.IdToken.IdToken]++
		if len(a.IdToken.AdditionalInfo) != btoi(a.IdToken.IdToken == "T") {
			t.Fatalf("element %d kept something of the one before: %+v", n, a)
		}
		return nil
	})
	if err != nil || n != 3001 || tokens["T"] != 1500 || x.VersionNumber != 7 || x.UpdateType != UpdateFull || len(x.LocalAuthorizationList) != 0 {
		t.Fatalf("got %v, %d elements, %+v", err, n, x)
	}
	if err := Decode(&b, &x, V201); err == nil {
		t.Error("Decode keeps 3001 elements")
	}
	full := errors.New("stage is full")
	if err := x.DecodeEach(&b, V201, func(*AuthorizationData) error { return full }); err != full {
		t.Errorf("got %v, want the error of the callee", err)
	}
	b.Reset(`{"localAuthorizationList":[`+bare+`,{"idToken":{"idToken":"U","type":"Own"}}],"versionNumber":7,"updateType":"Full"}`, rpc.Limits{})
	n = 0
	err = x.DecodeEach(&b, V201, func(*AuthorizationData) error { n++; return nil })
	var e *rpc.DecodeError
	if !errors.As(err, &e) || e.Path != "localAuthorizationList[1].idToken.type" || n != 1 {
		t.Errorf("got %v after %d elements: an element that is not valid must not be handed on", err, n)
	}
}
