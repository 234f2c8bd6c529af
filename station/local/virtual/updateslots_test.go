package virtual

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/slot"
	"github.com/evsed/evsed/storage/slot/image"
)

// foundry makes images.
type foundry struct {
	*testing.T
	key   ed25519.PrivateKey
	trust *image.Trust
}

func newFoundry(t *testing.T) *foundry {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := image.EncodePublic(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	trust, err := image.ParseTrust(pub)
	if err != nil {
		t.Fatal(err)
	}
	return &foundry{t, key, trust}
}

// image makes version 0.minor.0 after a change of what is usual. unsigned leaves the signature away.
func (f *foundry) image(minor uint32, unsigned bool, change func(*image.Manifest)) []byte {
	f.Helper()
	payload := bytes.Repeat([]byte("evsed 0."+strconv.Itoa(int(minor))), 3000)
	m := image.Manifest{Product: image.Product, Version: image.Version{Minor: minor}, Security: minor, Target: "linux/test", Length: int64(len(payload)),
		Hardware: []image.Hardware{{ID: "cc1", Max: 9}}, Released: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), SHA256: sha256.Sum256(payload)}
	if change != nil {
		change(&m)
	}
	h, err := image.NewHeader(m)
	if err == nil && !unsigned {
		h, err = h.Sign(f.key, nil)
	}
	if err != nil {
		f.Fatal(err)
	}
	return append(h.Append(nil), payload...)
}

// start starts what the slots of a directory say, as the launcher does.
func (f *foundry) start(dir string) *slot.AB {
	f.Helper()
	files, err := slot.Dir(dir)
	if err != nil {
		f.Fatal(err)
	}
	o := slot.Options{Files: files, Trust: f.trust, Machine: image.Machine{Target: "linux/test", Hardware: "cc1", Revision: 2, Agent: image.Version{Minor: 1}}}
	c, err := slot.Choose(o)
	if c.File != nil {
		err = c.File.Close()
		o.Machine.Agent, _ = image.ParseVersion(c.Boot.Version)
	}
	o.Boot = c.Boot
	if err != nil && c.File != nil {
		f.Fatal(err)
	}
	ab, err := slot.Open(o)
	if err != nil {
		f.Fatal(err)
	}
	return ab
}

// shelf is a web server with one file at each path.
type shelf map[string][]byte

func (s shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	data, ok := s[name]
	switch {
	case name == "moved":
		http.Redirect(w, r, "/good", http.StatusFound)
	case !ok:
		http.NotFound(w, r)
	default:
		w.Header().Set("ETag", `"`+name+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

func fetchFrom(t *testing.T, f firmware, number uint64, url string, resume bool) station.FetchEnded {
	t.Helper()
	return f.fetch(t.Context(), station.Fetch{Number: number, URL: url, Resume: resume}, &transfer.Client{}, func() {})
}

// An image comes from a web server into the slot that does not run, is checked, activated, runs on trial and is kept.
func TestUpdateIntoSlots(t *testing.T) {
	fd, dir := newFoundry(t), t.TempDir()
	good := fd.image(2, false, nil)
	web := httptest.NewServer(shelf{"good": good})
	defer web.Close()

	f := slotted{fd.start(dir)}
	before := f.running()
	ended := fetchFrom(t, f, 1, web.URL+"/good", false)
	if sum := sha256.Sum256(good); ended.Code != "" || !bytes.Equal(ended.Digest, sum[:]) || ended.Size != int64(len(good)) {
		t.Fatalf("fetch: %+v", ended)
	}
	installed := f.install(t.Context(), station.Install{Number: 1})
	if installed.Code != "" || installed.Version != "0.2.0" {
		t.Fatalf("install: %+v", installed)
	}
	if a := f.activate(t.Context(), station.Activate{Number: 1}); a.Code != "" || a.Live {
		t.Fatalf("activate: %+v", a)
	}
	if f.running() != before {
		t.Errorf("%+v runs before a restart", f.running())
	}
	f = slotted{fd.start(dir)}
	if r := f.running(); r.Version != "0.2.0" || !r.Trial || r.Slot == before.Slot {
		t.Fatalf("behind the restart: %+v", r)
	}
	if ended := fetchFrom(t, f, 2, web.URL+"/good", false); ended.Code != "FW-TRIAL" || !ended.Final {
		t.Errorf("fetch while on trial: %+v", ended)
	}
	if err := f.Good(); err != nil || f.running().Trial {
		t.Errorf("%+v, %v", f.running(), err)
	}
}

// Images that are not what this station may run are refused by name, and what runs goes on.
func TestUpdatesThatSlotsRefuse(t *testing.T) {
	fd, stranger := newFoundry(t), newFoundry(t)
	good := fd.image(2, false, nil)
	swapped := bytes.Clone(good)
	swapped[len(swapped)-1] ^= 1
	web := httptest.NewServer(shelf{
		"good": good, "unsigned": fd.image(2, true, nil), "stranger": stranger.image(2, false, nil), "swapped": swapped,
		"truncated": good[:len(good)/2], "hardware": fd.image(2, false, func(m *image.Manifest) { m.Hardware[0].ID = "cc2" }),
		"target": fd.image(2, false, func(m *image.Manifest) { m.Target = "linux/other" }), "longer": append(bytes.Clone(good), 1), "text": []byte(strings.Repeat("no image at all ", 100)),
	})
	defer web.Close()
	for _, c := range []struct {
		name, fetch, install string
		forged               bool
	}{
		{"good", "", "", false},
		{"unsigned", "", "FW-UNSIGNED", true},
		{"stranger", "", "FW-KEY", true},
		{"swapped", "", "FW-DIGEST", true},
		{"longer", "", "FW-DIGEST", true},
		{"truncated", "", "FW-TRUNCATED", false},
		{"hardware", "", "FW-HARDWARE", false},
		{"target", "", "FW-TARGET", false},
		{"text", "", "FW-FORMAT", false},
		{"nothing", "FW-NOTFOUND", "", false},
		{"moved", "FW-REDIRECT", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := slotted{fd.start(t.TempDir())}
			runs := f.running()
			ended := fetchFrom(t, f, 1, web.URL+"/"+c.name, false)
			if ended.Code != c.fetch || ended.Final != (c.fetch != "") {
				t.Fatalf("fetch: %+v", ended)
			}
			if c.fetch != "" {
				return
			}
			i := f.install(t.Context(), station.Install{Number: 1})
			if i.Code != c.install || i.Unfit != (c.install != "") || i.Forged != c.forged || i.Code == "" && i.Version == "" {
				t.Errorf("install: %+v", i)
			}
			if c.install == "" {
				return
			}
			if a := f.activate(t.Context(), station.Activate{Number: 1}); a.Code != c.install {
				t.Errorf("activate: %+v", a)
			}
			if f.running() != runs {
				t.Errorf("%+v runs", f.running())
			}
		})
	}
	if ended := fetchFrom(t, slotted{fd.start(t.TempDir())}, 1, "http://127.0.0.1:1/", false); ended.Code != "FW-TRANSFER" || ended.Final {
		t.Errorf("nobody listens: %+v", ended)
	}
}

// An update that is older than what was good here is refused.
func TestOlderUpdateIsRefused(t *testing.T) {
	fd, dir := newFoundry(t), t.TempDir()
	web := httptest.NewServer(shelf{"2": fd.image(2, false, nil), "3": fd.image(3, false, nil)})
	defer web.Close()
	f := slotted{fd.start(dir)}
	for _, number := range []string{"3", "2"} {
		if ended := fetchFrom(t, f, 1, web.URL+"/"+number, false); ended.Code != "" {
			t.Fatalf("fetch: %+v", ended)
		}
		i := f.install(t.Context(), station.Install{Number: 1})
		if number == "2" {
			if i.Code != "FW-OLDER" || !i.Unfit {
				t.Errorf("%+v", i)
			}
			return
		}
		if a := f.activate(t.Context(), station.Activate{Number: 1}); i.Code != "" || a.Code != "" {
			t.Fatalf("%+v, %+v", i, a)
		}
		f = slotted{fd.start(dir)}
		if err := f.Good(); err != nil {
			t.Fatal(err)
		}
	}
}

// A download that is cut goes on where it was, and one of another update begins anew.
func TestFetchGoesOn(t *testing.T) {
	fd := newFoundry(t)
	good := fd.image(2, false, nil)
	var asked []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Range"))
		if len(asked) == 1 { // a part, and the line breaks
			w.Header().Set("ETag", `"good"`)
			w.Header().Set("Content-Length", strconv.Itoa(len(good)))
			_, _ = w.Write(good[:len(good)/2])
			panic(http.ErrAbortHandler)
		}
		shelf{"good": good}.ServeHTTP(w, r)
	}))
	defer web.Close()
	f := slotted{fd.start(t.TempDir())}
	if ended := fetchFrom(t, f, 1, web.URL+"/good", false); ended.Code != "FW-TRANSFER" || ended.Final {
		t.Fatalf("%+v", ended)
	}
	ended := fetchFrom(t, f, 1, web.URL+"/good", true)
	if sum := sha256.Sum256(good); ended.Code != "" || !bytes.Equal(ended.Digest, sum[:]) {
		t.Fatalf("%+v", ended)
	}
	if len(asked) != 2 || asked[1] != "bytes="+strconv.Itoa(len(good)/2)+"-" {
		t.Errorf("asked for %q", asked)
	}
	fetchFrom(t, f, 2, web.URL+"/good", false)
	if len(asked) != 3 || asked[2] != "" {
		t.Errorf("another update asked for %q", asked[2:])
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e := f.fetch(ctx, station.Fetch{Number: 3, URL: web.URL + "/good"}, &transfer.Client{}, func() {}); e.Code == "" {
		t.Errorf("cancelled: %+v", e)
	}
}
