package reserve

import (
	"reflect"
	"testing"
	"time"

	"github.com/evsed/evsed/station/term"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func tok(v string) term.IdToken { return term.IdToken{Value: v, Type: term.TokenISO14443} }

func TestFor(t *testing.T) {
	family := term.IdToken{Value: "FAMILY", Type: term.TokenCentral}
	alone, grouped := Reservation{Token: tok("ALICE")}, Reservation{Token: tok("ALICE"), Group: family}
	for _, row := range []struct {
		name   string
		r      Reservation
		token  string
		groups []term.IdToken
		want   bool
	}{
		{"the token", alone, "ALICE", nil, true},
		{"the token in small letters", alone, "alice", nil, true},
		{"another token", alone, "BOB", nil, false},
		{"another token with a group, none is reserved", alone, "BOB", []term.IdToken{family}, false},
		{"a token without a group, none is reserved", alone, "BOB", []term.IdToken{{}}, false},
		{"a token of the group", grouped, "BOB", []term.IdToken{{}, family}, true},
		{"a token of another group", grouped, "BOB", []term.IdToken{tok("FAMILY")}, false},
		{"the token of a group", grouped, "ALICE", nil, true},
	} {
		if got := row.r.For(tok(row.token), row.groups...); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestList(t *testing.T) {
	var l List
	if !l.Next().IsZero() || l.Get(1) != nil {
		t.Error("an empty list has something")
	}
	a := l.Add(Reservation{ID: 7, Expiry: noon.Add(time.Hour), Token: tok("A")})
	b := l.Add(Reservation{ID: 3, Expiry: noon, Token: tok("B")})
	c := l.Add(Reservation{ID: 7, Expiry: noon.Add(time.Minute), Token: tok("C")})
	if a.Seq >= b.Seq || b.Seq >= c.Seq || l.Len() != 2 || l.Get(7).Token != tok("C") || !l.Next().Equal(noon) {
		t.Errorf("list %+v", l.All())
	}
	var again List
	again.Restore(c)
	again.Restore(b)
	again.Restore(b) // replayed twice
	if !reflect.DeepEqual(again.All(), l.All()) {
		t.Errorf("restored %+v, want %+v", again.All(), l.All())
	}
	if r, ok := again.Remove(3); !ok || r.ID != 3 || again.Len() != 1 {
		t.Error("3 was not removed")
	}
	if _, ok := again.Remove(3); ok {
		t.Error("3 was removed twice")
	}
	if r := l.All()[0]; r.Expired(noon.Add(-time.Nanosecond)) || !r.Expired(noon) {
		t.Error("expired at the wrong time")
	}
}

func TestRecord(t *testing.T) {
	r := Reservation{ID: -4, Seq: 2, EVSE: 1, Type: "cType2", Expiry: noon, Token: tok("A"), Group: tok("G")}
	got, err := Unmarshal(r.Marshal())
	if err != nil || got != r {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "1", `{}`, `{"id":1,"seq":-1,"expiry":"2026-11-22T12:00:00Z","token":{"v":"A","t":"Central"}}`,
		`{"id":1,"expiry":"2026-11-22T12:00:00Z"}`, `{"id":1,"token":{"v":"A","t":"Central"}}`, `{"id":1,"evse":-1,"expiry":"2026-11-22T12:00:00Z","token":{"v":"A"}}`} {
		if r, err := Unmarshal([]byte(bad)); err == nil {
			t.Errorf("%s was read as %+v", bad, r)
		}
	}
}
