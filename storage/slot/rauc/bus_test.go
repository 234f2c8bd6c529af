package rauc

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// startBus starts a message bus of its own and returns its address.
func startBus(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("dbus-daemon is not installed: apt-get install dbus")
	}
	dir, err := os.MkdirTemp("/tmp", "bus") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "bus")
	config := `<busconfig><type>session</type><listen>unix:path=` + socket + `</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>`
	file := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, exec.Command(program, "--nofork", "--config-file="+file))
	await(t, "the bus", func() bool {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return "unix:path=" + socket
}

// run starts a program, which ends with the test.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// await waits for what another program does.
func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for range 3000 {
		if there() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%s did not come", what)
}

// standIn speaks as RAUC does. Its fields say how the slots are and what it does next.
type standIn struct {
	mu         sync.Mutex
	conn       *dbus.Conn
	booted     string
	primary    string
	bundle     string // version of every bundle
	compatible string // of every bundle
	refuse     string // why Info refuses
	failure    string // why an installation fails
	mute       bool   // it never ends
	leave      bool   // it leaves the bus in the midst
	operation  string
	lastError  string
	marks      []string
	versions   map[string]string // of the slots
}

func newStandIn(t *testing.T, address string) *standIn {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &standIn{conn: conn, booted: "rootfs.0", primary: "rootfs.0", bundle: "2.0.0", compatible: "box", operation: "idle",
		versions: map[string]string{"rootfs.0": "1.0.0"}}
	for _, err := range []error{conn.Export(s, "/", installer), conn.Export(&standInProperties{s}, "/", properties)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.RequestName(service, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return s
}

// set changes what it does.
func (s *standIn) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func refusal(why string) *dbus.Error {
	return dbus.NewError("org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code30", []any{why})
}

// Info is RAUC's.
func (s *standIn) Info(bundle string) (string, string, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := os.Stat(bundle); err != nil || s.refuse != "" {
		return "", "", refusal(s.refuse)
	}
	return s.compatible, s.bundle, nil
}

// InstallBundle is RAUC's.
func (s *standIn) InstallBundle(string, map[string]dbus.Variant) *dbus.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operation != "idle" {
		return refusal("already processing a different method")
	}
	s.operation = "installing"
	go s.installing()
	return nil
}

func (s *standIn) installing() {
	s.progress(20, "Checking bundle")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leave {
		s.conn.Close()
		return
	}
	if s.mute {
		return
	}
	result := int32(0)
	if s.lastError = s.failure; s.failure != "" {
		result = 1
	} else {
		s.primary = "rootfs.1"
		if s.booted == "rootfs.1" {
			s.primary = "rootfs.0"
		}
		s.versions[s.primary] = s.bundle
	}
	s.operation = "idle"
	_ = s.conn.Emit("/", installer+".Completed", result)
}

func (s *standIn) progress(percent int32, message string) {
	changed := map[string]dbus.Variant{"Progress": dbus.MakeVariant(Progress{percent, message, 1})}
	_ = s.conn.Emit("/", properties+".PropertiesChanged", installer, changed, []string{})
}

// Mark is RAUC's.
func (s *standIn) Mark(state, name string) (string, string, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "booted" {
		name = s.booted
	}
	if state == "active" {
		s.primary = name
	}
	s.marks = append(s.marks, state+" "+name)
	return name, "marked", nil
}

// GetPrimary is RAUC's.
func (s *standIn) GetPrimary() (string, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.primary, nil
}

// GetSlotStatus is RAUC's.
func (s *standIn) GetSlotStatus() ([]slotState, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []slotState
	for name, bootname := range map[string]string{"rootfs.0": "A", "rootfs.1": "B", "appfs.0": ""} {
		state := "inactive"
		if name == s.booted {
			state = "booted"
		}
		fields := map[string]dbus.Variant{"state": dbus.MakeVariant(state)}
		if bootname != "" {
			fields["bootname"] = dbus.MakeVariant(bootname)
		}
		if v := s.versions[name]; v != "" {
			fields["bundle.version"] = dbus.MakeVariant(v)
		}
		all = append(all, slotState{name, fields})
	}
	return all, nil
}

// standInProperties are its properties.
type standInProperties struct{ s *standIn }

// Get is D-Bus's.
func (p *standInProperties) Get(_, name string) (dbus.Variant, *dbus.Error) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	switch name {
	case "Operation":
		return dbus.MakeVariant(p.s.operation), nil
	case "LastError":
		return dbus.MakeVariant(p.s.lastError), nil
	case "Compatible":
		return dbus.MakeVariant("box"), nil
	}
	return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.InvalidArgs", []any{name})
}

func TestNobodyOnTheBus(t *testing.T) {
	for _, address := range []string{"", "unix:path=" + filepath.Join(t.TempDir(), "none"), "unixexec:path=/bin/true", "tcp:host=127.0.0.1,port=1", "x"} {
		if address == "" {
			if _, err := os.Stat("/run/dbus/system_bus_socket"); err == nil {
				continue // this machine has one, and it is none of ours
			}
		}
		i, err := Open(t.Context(), address, t.TempDir(), Options{Boot: "1"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = i.Check()
		for what, err := range map[string]error{"probe": i.Probe(), "check": err, "activate": i.Activate(), "good": i.Good(), "rollback": i.Rollback()} {
			if !errors.Is(err, ErrBus) {
				t.Errorf("%q: %s: %v", address, what, err)
			}
		}
	}
}

func TestNoRAUCOnTheBus(t *testing.T) {
	i, err := Open(t.Context(), startBus(t), t.TempDir(), Options{Boot: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{"probe": i.Probe(), "activate": i.Activate(), "good": i.Good(), "rollback": i.Rollback()} {
		if !errors.Is(err, ErrService) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
