package cases

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"
)

// statusAction is read strictly: every status is expected by a case.
const statusAction = "StatusNotification"

// Want waits for a message of an action that has these members, and returns its payload. Messages of that action before it
// are passed over, except statuses: the next one of that connector has to be it. A member's name may be a path:
// idTokenInfo.status, meterValue.0.timestamp. nil as a value: it is left out.
func (b *Bench) Want(action string, members Obj) Obj {
	b.Helper()
	return b.WantWithin(Patience, action, members).Body
}

// WantWithin is Want with another patience.
func (b *Bench) WantWithin(d time.Duration, action string, members Obj) *Heard {
	b.Helper()
	for from := time.Now(); ; b.After(50 * time.Millisecond) {
		if h := b.next(action, members); h != nil {
			return h
		}
		if time.Since(from) > d {
			b.Fatalf("no %s %v within %v", action, members, d)
		}
	}
}

// another reports whether a status, or a value, is of another connector than the one that is asked about: two connectors at
// one instant are told in any order.
func another(h *Heard, members Obj) bool {
	if h.Action != statusAction && h.Action != "MeterValues" {
		return false
	}
	for _, name := range []string{"evseId", "connectorId"} {
		if asked, ok := members[name]; ok && fmt.Sprint(h.Body[name]) != fmt.Sprint(asked) {
			return true
		}
	}
	return false
}

// next marks the first message that is meant as read, with those before it in its stream.
func (b *Bench) next(action string, members Obj) *Heard {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, h := range b.all {
		if h.read || h.Action != action || another(h, members) {
			continue
		}
		why := Differs(h.Body, members)
		if why != "" && b.again(i) {
			h.read = true
			continue
		}
		if why == "" {
			for _, old := range b.all[:i+1] {
				old.read = old.read || b.Words.Stream(old) == b.Words.Stream(h)
			}
			return h
		}
		if action == statusAction {
			h.read = true
			b.Fatalf("%s: %s", h, why)
		}
	}
	return nil
}

// again reports whether a message is the first status of a connector on its connection, and the same as before: after an
// outage, or a reboot, a station may say again what did not change. b.mu is held.
func (b *Bench) again(i int) bool {
	h := b.all[i]
	if h.Action != statusAction {
		return false
	}
	for _, old := range slices.Backward(b.all[:i]) {
		if b.Words.Stream(old) == b.Words.Stream(h) {
			return old.Conn < h.Conn && fmt.Sprint(old.Body["status"], old.Body["connectorStatus"], old.Body["errorCode"]) ==
				fmt.Sprint(h.Body["status"], h.Body["connectorStatus"], h.Body["errorCode"])
		}
	}
	return false
}

// None lets a while pass in which no such message may come.
func (b *Bench) None(d time.Duration, action string, members Obj) {
	b.Helper()
	b.After(d)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, h := range b.all {
		if !h.read && h.Action == action && Differs(h.Body, members) == "" && !b.again(i) {
			b.Fatalf("unexpected: %s", h)
		}
	}
}

// Count counts the messages of an action with these members so far, read or not.
func (b *Bench) Count(action string, members Obj) (n int) {
	b.With(func() {
		for _, h := range b.all {
			if h.Action == action && Differs(h.Body, members) == "" {
				n++
			}
		}
	})
	return n
}

// Skip marks all that was heard so far as read.
func (b *Bench) Skip() { b.SkipBefore(nil, "") }

// SkipBefore marks as read what was heard of an action before until; "" is every action, and a nil until everything so far.
func (b *Bench) SkipBefore(until *Heard, action string) {
	b.With(func() {
		for _, h := range b.all {
			if h == until {
				return
			}
			h.read = h.read || action == "" || h.Action == action
		}
	})
}

// Heard returns the messages of an action so far, read or not.
func (b *Bench) Heard(action string) (all []Heard) {
	b.With(func() {
		for _, h := range b.all {
			if h.Action == action {
				all = append(all, *h)
			}
		}
	})
	return all
}

// Differs says where a payload is not as wanted.
func Differs(body Obj, members Obj) string {
	for name, want := range members {
		got := Member(body, name)
		if want == nil && got != nil || want != nil && fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Sprintf("%s is %v, want %v", name, got, want)
		}
	}
	return ""
}

// Member follows a path; nil where it ends.
func Member(v any, path string) any {
	for step := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case Obj:
			v = at[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// Ask makes a CALL.
func (b *Bench) Ask(action string, payload Obj) Result {
	b.Helper()
	if payload == nil {
		payload = Obj{}
	}
	c := b.Send(action, payload)
	select {
	case r := <-c:
		synctest.Wait()
		return r
	case <-time.After(Patience):
		b.Fatalf("%s %v: no answer within %v", action, payload, Patience)
	}
	return Result{}
}

// Call makes a CALL and wants an answer, which its schema allows.
func (b *Bench) Call(action string, payload Obj) Obj {
	b.Helper()
	r := b.Ask(action, payload)
	if r.Code != "" {
		b.Fatalf("%s %v: %s", action, payload, r.Code)
	}
	return r.Body
}

// Answers makes a CALL whose answer has this status.
func (b *Bench) Answers(status, action string, payload Obj) Obj {
	b.Helper()
	body := b.Call(action, payload)
	if got := Member(body, "status"); got != status {
		b.Fatalf("%s %v: %v, want %s", action, payload, body, status)
	}
	return body
}
