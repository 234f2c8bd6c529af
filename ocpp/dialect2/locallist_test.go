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
		got, err := New(v).Request("SendLocalList", payload, nil, &s)
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
		got, err := New(v).Request("SendLocalList", `{"versionNumber":1,"updateType":"Full"}`, nil, &s)
		if err != nil || got != (station.SendLocalList{Version: 1, Full: true}) || s.began {
			t.Errorf("%v: got %+v, %v, began %v", v, got, err, s.began)
		}
	}
}

func TestSendLocalListOfAnyLengthThatIsBounded(t *testing.T) {
	for _, v := range versions {
		var s listStage
		got, err := New(v).Request("SendLocalList", longList(5000), nil, &s)
		if err != nil || got.(station.SendLocalList).Staged != 5000 || len(s.items) != 5000 {
			t.Errorf("%v: got %+v, %v", v, got, err)
		}
		if last := s.items[4999].token.Value; last != "T4999" {
			t.Errorf("%v: last is %s", v, last)
		}
		s = listStage{}
		got, err = New(v).Request("SendLocalList", longList(rpc.DefaultStream+1), nil, &s)
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

func wholeList(d *Dialect, payload string, big ocpp.Stage) (station.Request, error) {
	return d.Request("SendLocalList", payload, nil, big)
}

// listInPieces reads a list as the link does one that is too long to keep.
func listInPieces(d *Dialect, payload string, big ocpp.Stage) (station.Request, error) {
	list, s := d.Stream("SendLocalList", big)
	c := rpc.NewCutter(list, s.Piece)
	frame := []byte(`[2,"id","SendLocalList",` + payload + `]`)
	for len(frame) > 0 {
		n := min(1000, len(frame))
		if err := c.Write(frame[:n]); err != nil {
			s.Abort()
			return nil, refusal(err)
		}
		frame = frame[n:]
	}
	f, err := rpc.Parse(c.Rest(), d.Version(), rpc.Limits{})
	if err != nil {
		s.Abort()
		return nil, &ocpp.RequestError{Code: rpc.FormatViolation, Description: err.Error()}
	}
	return s.Request(f.Payload)
}

func TestSendLocalListInPieces(t *testing.T) {
	for _, v := range versions {
		var whole, pieces listStage
		payload := longList(5000)
		want, _ := wholeList(New(v), payload, &whole)
		got, err := listInPieces(New(v), payload, &pieces)
		wantNoWindow(t, payload, pieces.items)
		if err != nil || got != want {
			t.Errorf("%v: got %+v, %v, want %+v", v, got, err, want)
		}
		last := len(pieces.items) - 1 // which is the first of the list
		if !reflect.DeepEqual(append(pieces.items[last:], pieces.items[:last]...), whole.items) {
			t.Errorf("%v: other items are staged than of the whole list", v)
		}
		pieces = listStage{}
		if got, err := listInPieces(New(v), longList(rpc.DefaultStream+2), &pieces); got != nil || err == nil || !pieces.aborted {
			t.Errorf("%v: a list above the limit gave %+v, %v, aborted %v", v, got, err, pieces.aborted)
		}
		pieces = listStage{}
		bad := strings.Replace(payload, `"T4321","type":"Central"`, `"T4321","type":7`, 1)
		if _, err := listInPieces(New(v), bad, &pieces); err == nil || !strings.Contains(err.Error(), "localAuthorizationList[4321].idToken.type") || !pieces.aborted {
			t.Errorf("%v: bad item: %v, aborted %v", v, err, pieces.aborted)
		}
	}
	if _, s := New(rpc.V21).Stream("GetVariables", nil); s != nil {
		t.Error("a list is streamed that is not handed on item by item")
	}
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
		for way, read := range map[string]func(*Dialect, string, ocpp.Stage) (station.Request, error){"whole": wholeList, "in pieces": listInPieces} {
			for _, v := range versions {
				s := tc.stage
				got, err := read(New(v), tc.payload, &s)
				var refusal *ocpp.RequestError
				if got != nil || !errors.As(err, &refusal) {
					t.Errorf("%v %s %s: got %+v, %v", v, tc.name, way, got, err)
					continue
				}
				if refusal.Code != tc.code || !strings.Contains(refusal.Description, tc.says) {
					t.Errorf("%v %s %s: got %v, want %s naming %q", v, tc.name, way, refusal, tc.code, tc.says)
				}
				if s.began && !s.aborted {
					t.Errorf("%v %s %s: the stage was left open", v, tc.name, way)
				}
			}
		}
	}
}

// forgetful is a stage that keeps nothing.
type forgetful struct{}

func (forgetful) Begin() (station.StageID, error)              { return 1, nil }
func (forgetful) Add(term.IdToken, term.TokenInfo, bool) error { return nil }
func (forgetful) Abort()                                       {}

// A long list costs what is copied out of it: the two tokens of each item, value and type. The pieces share a buffer.
func TestPiecesOfAListShareABuffer(t *testing.T) {
	const item = `{"idToken":{"idToken":"04A1B2C3D4E5F6","type":"ISO14443"},"idTokenInfo":{"status":"Accepted","groupIdToken":{"idToken":"GROUP","type":"Central"}}}`
	const items = 100
	piece := []byte("[" + strings.Repeat(item+",", items-1) + item + "]")
	_, s := New(rpc.V201).Stream("SendLocalList", forgetful{})
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Piece(piece); err != nil {
			t.Fatal(err)
		}
	}); n > 4*items+4 {
		t.Errorf("%v allocations for %d items", n, items)
	}
}

// What was staged is whole after the buffer has been used again.
func TestPiecesLeaveNothingInTheBuffer(t *testing.T) {
	stage := &listStage{}
	_, s := New(rpc.V21).Stream("SendLocalList", stage)
	for _, letter := range []string{"a", "b"} {
		piece := strings.ReplaceAll(`[{"idToken":{"idToken":"###","type":"t###"},"idTokenInfo":{"status":"Accepted","groupIdToken":{"idToken":"g###","type":"u###"},"personalMessage":{"format":"UTF8","content":"m###"}}}]`, "#", letter)
		if err := s.Piece([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	for i, letter := range []string{"a", "b"} {
		three := strings.Repeat(letter, 3)
		want := stagedItem{token: term.IdToken{Value: three, Type: term.IdTokenType("t" + three)}, info: term.TokenInfo{
			Status: term.TokenAccepted, Group: term.IdToken{Value: "g" + three, Type: term.IdTokenType("u" + three)}, Message: "m" + three}}
		if !reflect.DeepEqual(stage.items[i], want) {
			t.Errorf("item %d: %+v, want %+v", i, stage.items[i], want)
		}
	}
	err := s.Piece([]byte(`[{"idToken":{"idToken":"x","type":"y"},"idTokenInfo":{"stratus":"Accepted"}}]`))
	said := fmt.Sprint(err)
	_ = s.Piece([]byte(`[` + strings.Repeat(" ", 200) + `]`))
	if again := fmt.Sprint(err); again != said || !strings.Contains(said, "stratus") {
		t.Errorf("error %q became %q", said, again)
	}
}
