package seed

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const withSecrets = `{"csms":[{"url":"ws://127.0.0.1:9000","basicAuthPassword":"geheim-0123456789"},
 {"url":"ws://127.0.0.1:9001","slot":5, "basicAuthPassword" : "ge\"heim\\0123456789"},
 {"url":"ws://127.0.0.1:9002","slot":6,"basicAuthPassword":"geheim-0123456789"}],
 "ocpp16":{"AuthorizationKey":"geheim-16","HeartbeatInterval":"60"},
 "ocpp2":[{"component":"SecurityCtrlr","variable":"BasicAuthPassword","value":"geheim-\u0032"},{"component":"TxCtrlr","variable":"TxStartPoint","value":"EVConnected"}],
 "security":{"privateKeyPassword":"geheim-key"},
 "vendor":{"basicAuthPassword":"not ours"}}`

// A copy of a seed has no secret in it, and is the same seed once they are put back.
func TestHideAndReveal(t *testing.T) {
	kept := map[string]string{}
	copied, err := Hide([]byte(withSecrets), func(secret string) (string, error) {
		name := fmt.Sprint("n", len(kept))
		kept[name] = secret
		return name, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(copied), "geheim") || strings.Contains(string(copied), "heim") || len(kept) != 5 {
		t.Errorf("%d secrets kept; the copy is\n%s", len(kept), copied)
	}
	got := parse(t, string(copied))
	if got.Profiles[1].Password == parse(t, withSecrets).Profiles[1].Password {
		t.Error("the copy knows a password")
	}
	err = got.Reveal(func(name string) ([]byte, error) { return []byte(kept[name]), nil })
	if want := parse(t, withSecrets); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}

	gone := parse(t, string(copied))
	lost := errors.New("lost")
	if err := gone.Reveal(func(string) ([]byte, error) { return nil, lost }); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	if gone.Profiles[1].Password != "" || gone.Security.Password != "" || gone.Profiles[1].URL != "ws://127.0.0.1:9001" {
		t.Errorf("%+v", gone)
	}
	plain := parse(t, withSecrets)
	if err := plain.Reveal(func(string) ([]byte, error) { return nil, lost }); err != nil || !reflect.DeepEqual(plain, parse(t, withSecrets)) {
		t.Errorf("a seed with its secrets: %v", err)
	}
}

func TestHideKeepsWhatCannotBeSealed(t *testing.T) {
	if _, err := Hide([]byte(withSecrets), func(string) (string, error) { return "", errors.New("the TPM is busy") }); err == nil || strings.Contains(err.Error(), "geheim") {
		t.Errorf("%v", err)
	}
	text := `{"csms":[{"url":"ws://127.0.0.1:9000"}]}`
	if got, err := Hide([]byte(text), nil); err != nil || string(got) != text {
		t.Errorf("%s, %v", got, err)
	}
}
