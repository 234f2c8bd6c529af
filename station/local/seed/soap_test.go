package seed

import (
	"reflect"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
)

func TestParseSOAP(t *testing.T) {
	s, err := Parse("seed.json", []byte(`{"csms":[{"url":"http://127.0.0.1:9000/soap","ocpp":["soap1.5"],"soapListen":"127.0.0.1:9001","callbackUrl":"http://u:p@192.0.2.1/cp"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := Profile{Slot: 1, NetworkProfile: station.NetworkProfile{
		URL: "http://127.0.0.1:9000/soap", Versions: []string{"soap1.5"}, MessageTimeout: 30 * time.Second,
		Listen: "127.0.0.1:9001", Callback: "http://u:p@192.0.2.1/cp",
	}}
	if len(s.Profiles) != 1 || !reflect.DeepEqual(s.Profiles[0], want) {
		t.Errorf("%+v", s.Profiles)
	}
}
