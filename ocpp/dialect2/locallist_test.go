package dialect2

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// listStage records what is staged.
type listStage struct {
	began, aborted bool
	items          []stagedItem
	failAt         int // the n-th Add fails; 0: none
	failBegin      bool
}

type stagedItem struct {
	token  term.IdToken
	info   term.TokenInfo
	remove bool
}

var errFull = errors.New("flash is full")

func (s *listStage) Begin() (station.StageID, error) {
	if s.failBegin {
		return 0, errFull
	}
	s.began = true
	return 41, nil
}

func (s *listStage) Add(token term.IdToken, info term.TokenInfo, remove bool) error {
	s.items = append(s.items, stagedItem{token, info, remove})
	if len(s.items) == s.failAt {
		return errFull
	}
	return nil
}

func (s *listStage) Abort() { s.aborted = true }

func TestSendLocalListStagesEachItem(t *testing.T) {
	payload := `{"localAuthorizationList":[` +
		`{"idToken":` + rfidJSON + `,"idTokenInfo":{"status":"Accepted","cacheExpiryDateTime":"2027-01-01T01:00:00+01:00","chargingPriority":0,` +
		`"groupIdToken":{"idToken":"G","type":"Central"},"evseId":[1,3],"personalMessage":{"format":"UTF8","content":"hello"}}},` +
		`{"idToken":{"idToken":"gone","type":"Local"}}],"updateType":"Differential","versionNumber":7}`
	want := []stagedItem{
		{token: rfid, info: term.TokenInfo{
			Status: term.TokenAccepted, Expiry: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Group: term.IdToken{Value: "G", Type: term.TokenCentral},
			EVSEs: []term.EVSEID{1, 3}, Message: "hello", HasPriority: true,
		}},
		{token: term.IdToken{Value: "gone", Type: term.TokenLocal}, remove: true},
	}
	for _, v := range versions {
		var s listStage
		payload := strings.Clone(payload)
		got, err := New(v).Request("SendLocalList", payload, &s)
		wantNoWindow(t, payload, s.items)
		if err != nil || got != (station.SendLocalList{Version: 7, Stage: 41, Staged: 2}) {
			t.Errorf("%v: got %+v, %v", v, got, err)
		}
		if !reflect.DeepEqual(s.items, want) || s.aborted {
			t.Errorf("%v: staged %+v, aborted %v", v, s.items, s.aborted)
		}
	}
}

func TestSendLocalListWithoutItemsOpensNoStage(t *testing.T) {
	for _, v := range versions {
		var s listStage
		got, err := New(v).Request("SendLocalList", `{"versionNumber":1,"updateType":"Full"}`, &s)
		if err != nil || got != (station.SendLocalList{Version: 1, Full: true}) || s.began {
			t.Errorf("%v: got %+v, %v, began %v", v, got, err, s.began)
		}
	}
}

func TestSendLocalListOfAnyLengthThatIsBounded(t *testing.T) {
	for _, v := range versions {
		var s listStage
		got, err := New(v).Request("SendLocalList", longList(5000), &s)
		if err != nil || got.(station.SendLocalList).Staged != 5000 || len(s.items) != 5000 {
			t.Errorf("%v: got %+v, %v", v, got, err)
		}
		if last := s.items[4999].token.Value; last != "T4999" {
			t.Errorf("%v: last is %s", v, last)
		}
		s = listStage{}
		got, err = New(v).Request("SendLocalList", longList(rpc.DefaultStream+1), &s)
		if got != nil || err == nil || !s.aborted {
			t.Errorf("%v: a list above the limit gave %+v, %v, aborted %v", v, got, err, s.aborted)
		}
	}
}

func longList(n int) string {
	var b strings.Builder
	b.WriteString(`{"versionNumber":1,"updateType":"Full","localAuthorizationList":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"idToken":{"idToken":"T%d","type":"Central"},"idTokenInfo":{"status":"Accepted"}}`, i)
	}
	b.WriteString("]}")
	return b.String()
}

func TestSendLocalListRefusedLeavesNothingStaged(t *testing.T) {
	item := `{"idToken":` + rfidJSON + `,"idTokenInfo":{"status":"Accepted"}}`
	for _, tc := range []struct {
		name, payload string
		stage         listStage
		code          rpc.ErrorCode
		says          string
	}{
		{"version 0", `{"versionNumber":0,"updateType":"Full","localAuthorizationList":[` + item + `]}`, listStage{},
			rpc.PropertyConstraintViolation, "versionNumber"},
		{"removal in a full list", `{"localAuthorizationList":[` + item + `,{"idToken":` + rfidJSON + `}],"versionNumber":1,"updateType":"Full"}`,
			listStage{}, rpc.OccurrenceConstraintViolation, "localAuthorizationList[1].idTokenInfo"},
		{"item without a token type", `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[` + item + `,{"idToken":{"idToken":"x","type":""}}]}`,
			listStage{}, rpc.PropertyConstraintViolation, "localAuthorizationList[1].idToken.type"},
		{"second item invalid", `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[` + item + `,{"idToken":{"idToken":"x"}}]}`,
			listStage{}, rpc.OccurrenceConstraintViolation, "localAuthorizationList[1]"},
		{"no update type", `{"versionNumber":1,"localAuthorizationList":[` + item + `]}`, listStage{},
			rpc.OccurrenceConstraintViolation, "updateType"},
		{"empty list", `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[]}`, listStage{},
			rpc.OccurrenceConstraintViolation, "localAuthorizationList"},
		{"cut off", `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[` + item + `,`, listStage{}, rpc.FormatViolation, ""},
		{"storage fails", `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[` + item + `,` + item + `]}`,
			listStage{failAt: 2}, rpc.InternalError, errFull.Error()},
		{"storage does not begin", `{"versionNumber":1,"updateType":"Full","localAuthorizationList":[` + item + `]}`,
			listStage{failBegin: true}, rpc.InternalError, errFull.Error()},
	} {
		for _, v := range versions {
			s := tc.stage
			got, err := New(v).Request("SendLocalList", tc.payload, &s)
			var refusal *ocpp.RequestError
			if got != nil || !errors.As(err, &refusal) {
				t.Errorf("%v %s: got %+v, %v", v, tc.name, got, err)
				continue
			}
			if refusal.Code != tc.code || !strings.Contains(refusal.Description, tc.says) {
				t.Errorf("%v %s: got %v, want %s naming %q", v, tc.name, refusal, tc.code, tc.says)
			}
			if s.began && !s.aborted {
				t.Errorf("%v %s: the stage was left open", v, tc.name)
			}
		}
	}
}
