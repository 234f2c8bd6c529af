package msg16

import (
	"errors"
	"testing"

	"github.com/evsed/evsed/ocpp/rpc"
)

// FuzzDecode16: the number chooses the message, requests first. What was written once stays as it is when it is read and
// written again.
func FuzzDecode16(f *testing.F) {
	n := len(Actions())
	fresh := func(i int) Message {
		if i %= 2 * n; i >= n {
			m, _ := NewResponse(Actions()[i-n].Name)
			return m
		}
		m, _ := NewRequest(Actions()[i].Name)
		return m
	}
	for i := range 2 * n {
		for _, full := range []bool{false, true} {
			f.Add(byte(i), encoded(f, sample(fresh(i), full)))
		}
	}
	f.Add(byte(find("SetChargingProfile")), profile(`{"startPeriod":0,"limit":1.6e1,"numberPhases":-0}`))
	f.Fuzz(func(t *testing.T, i byte, text string) {
		m := fresh(int(i))
		if err := decodeText(m, text); err != nil {
			var e *rpc.DecodeError
			if !errors.As(err, &e) || e.Code == "" || e.Reason == "" {
				t.Fatalf("got %v, want a whole DecodeError", err)
			}
			return
		}
		once := encoded(t, m)
		if err := decodeText(m, once); err != nil {
			t.Fatalf("%s cannot be read back: %v", once, err)
		}
		if again := encoded(t, m); again != once {
			t.Fatalf("%s\nbecame %s", once, again)
		}
	})
}
