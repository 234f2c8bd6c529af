package dialect16

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// listStage keeps what is staged.
type listStage struct {
	items          []string
	began, aborted bool
	fail           error
}

func (s *listStage) Begin() (station.StageID, error) { s.began = true; return 7, s.fail }

func (s *listStage) Add(t term.IdToken, info term.TokenInfo, remove bool) error {
	line := t.Value + " " + string(t.Type)
	if !remove {
		line += fmt.Sprintf(" %s group=%s/%s until=%s", info.Status, info.Group.Value, info.Group.Type, info.Expiry.Format(time.DateOnly))
	}
	s.items = append(s.items, line)
	return nil
}

func (s *listStage) Abort() { s.aborted = true }

const listJSON = `"localAuthorizationList":[{"idTag":"A","idTagInfo":{"status":"Accepted","parentIdTag":"P","expiryDate":"2027-01-01T00:00:00Z"}},{"idTag":"B"}]`

var staged = []string{"A ISO14443 Accepted group=P/Central until=2027-01-01", "B ISO14443"}

func TestSendLocalList(t *testing.T) {
	var s listStage
	w := newWire(t)
	got, err := w.Request("SendLocalList", `{"listVersion":4,`+listJSON+`,"updateType":"Differential"}`, w.table, &s)
	if want := (station.SendLocalList{Version: 4, Stage: 7, Staged: 2}); err != nil || got != station.Request(want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if !reflect.DeepEqual(s.items, staged) {
		t.Errorf("staged %q", s.items)
	}
}

func TestSendLocalListRefuses(t *testing.T) {
	for _, tc := range []struct{ payload, where string }{
		{`{"listVersion":4,` + listJSON + `,"updateType":"Full"}`, "localAuthorizationList[1].idTagInfo"},
		{`{"listVersion":4,"updateType":"Full","localAuthorizationList":[{"idTag":"A","idTagInfo":{"status":"Fine"}}]}`, "localAuthorizationList[0].idTagInfo.status"},
	} {
		var s listStage
		w := newWire(t)
		_, err := w.Request("SendLocalList", tc.payload, w.table, &s)
		var refusal *ocpp.RequestError
		if !errors.As(err, &refusal) || !strings.Contains(refusal.Description, tc.where) {
			t.Errorf("%v does not name %s", err, tc.where)
		}
		if s.began && !s.aborted {
			t.Error("the stage was left open")
		}
	}
	w := newWire(t)
	if _, err := w.Request("SendLocalList", `{"listVersion":4,`+listJSON+`,"updateType":"Full"}`, w.table, &listStage{fail: errors.New("full")}); err == nil {
		t.Error("a stage that fails is no error")
	}
}

// A list that comes in pieces is the same list.
func TestStream(t *testing.T) {
	var s listStage
	list, stream := New(evses).Stream("SendLocalList", &s)
	if list != "localAuthorizationList" || stream == nil {
		t.Fatalf("%q, %v", list, stream)
	}
	if err := stream.Piece([]byte(`[{"idTag":"B"}]`)); err != nil {
		t.Fatal(err)
	}
	got, err := stream.Request(`{"listVersion":4,"localAuthorizationList":[{"idTag":"A"}],"updateType":"Differential"}`)
	if want := (station.SendLocalList{Version: 4, Stage: 7, Staged: 2}); err != nil || got != station.Request(want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if want := []string{"B ISO14443", "A ISO14443"}; !reflect.DeepEqual(s.items, want) {
		t.Errorf("staged %q", s.items)
	}
	_, stream = New(evses).Stream("SendLocalList", &s)
	if err := stream.Piece([]byte(`[{"idTag":"C"},{"idTag":1}]`)); err == nil || !strings.Contains(err.Error(), "localAuthorizationList[2].idTag") {
		t.Errorf("error %v", err)
	}
	if stream.Abort(); !s.aborted {
		t.Error("the stage was left open")
	}
	if _, stream := New(evses).Stream("Reset", &s); stream != nil {
		t.Error("Reset comes in pieces")
	}
}
