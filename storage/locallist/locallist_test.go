package locallist

import (
	"fmt"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

type rig struct {
	t     *testing.T
	lists *Lists
	now   station.StageID
}

func newRig(t *testing.T) *rig {
	store, _, err := storage.Open(t.TempDir(), storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	r := &rig{t: t}
	r.lists = New(store, func() station.StageID { return r.now })
	t.Cleanup(r.lists.Close)
	return r
}

func token(i int) term.IdToken {
	return term.IdToken{Value: fmt.Sprintf("TOKEN%05d", i), Type: term.TokenISO14443}
}

// send stages tokens (negative: remove) and puts the list in force, as the core does.
func (r *rig) send(full bool, tokens ...int) station.SendLocalList {
	r.t.Helper()
	id, err := r.lists.Begin()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, n := range tokens {
		if n < 0 {
			err = r.lists.Add(token(-n), term.TokenInfo{}, true)
		} else {
			err = r.lists.Add(token(n), term.TokenInfo{Status: term.TokenAccepted, Group: term.IdToken{Value: "G", Type: term.TokenCentral}}, false)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
	req, err := r.lists.Complete(station.SendLocalList{Full: full, Stage: id, Staged: len(tokens)})
	if err != nil {
		r.t.Fatal(err)
	}
	return req
}

func (r *rig) want(known ...int) {
	r.t.Helper()
	got := map[int]bool{}
	for i := 1; i <= 10; i++ {
		info, ok := r.lists.Lookup(r.now, token(i))
		if ok && (info.Status != term.TokenAccepted || info.Group.Value != "G") {
			r.t.Errorf("token %d: %+v", i, info)
		}
		got[i] = ok
	}
	for _, n := range known {
		if !got[n] {
			r.t.Errorf("token %d is not in the list", n)
		}
		delete(got, n)
	}
	for n, there := range got {
		if there {
			r.t.Errorf("token %d is in the list", n)
		}
	}
}

func TestFullAndDifferential(t *testing.T) {
	r := newRig(t)
	req := r.send(true, 1, 2, 3)
	if req.Total != 3 || req.Stage == 0 || req.Duplicates {
		t.Fatalf("full: %+v", req)
	}
	r.want() // nothing is in force before the core says so
	r.now = req.Stage
	r.want(1, 2, 3)

	req = r.send(false, 4, -2)
	if req.Total != 3 {
		t.Fatalf("differential: %+v", req)
	}
	r.want(1, 2, 3)
	r.now = req.Stage
	r.want(1, 3, 4)

	r.now = r.send(true, 9).Stage
	r.want(9)
}

func TestRefusedUpdateChangesNothing(t *testing.T) {
	r := newRig(t)
	r.now = r.send(true, 1, 2).Stage
	for range 3 {
		r.send(false, 5, 6) // the core does not take it
		r.want(1, 2)
	}
	if req := r.send(true, 7, 7); !req.Duplicates {
		t.Errorf("a token named twice: %+v", req)
	}
	r.want(1, 2)
	if req, err := r.lists.Complete(station.SendLocalList{Full: true}); err != nil || req.Stage != 0 || req.Total != 0 {
		t.Errorf("empty list: %+v, %v", req, err)
	}
}

func TestLargeList(t *testing.T) {
	r := newRig(t)
	all := make([]int, 20_000)
	for i := range all {
		all[i] = (i*7919)%20_000 + 1
	}
	r.now = r.send(true, all...).Stage
	for i := 1; i <= 20_000; i += 997 {
		if _, ok := r.lists.Lookup(r.now, token(i)); !ok {
			t.Fatalf("token %d is not in the list", i)
		}
	}
	if _, ok := r.lists.Lookup(r.now, token(20_001)); ok {
		t.Error("a token that was never sent is in the list")
	}
}

func TestLaterStageWins(t *testing.T) {
	r := newRig(t)
	r.now = r.send(true, 1).Stage
	first, err := r.lists.Begin()
	if err != nil {
		t.Fatal(err)
	}
	r.send(true, 2)
	if _, err := r.lists.Complete(station.SendLocalList{Full: true, Stage: first, Staged: 1}); err != ErrNotStaged {
		t.Errorf("overtaken stage: %v", err)
	}
	r.want(1)
}
