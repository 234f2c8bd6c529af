package keys

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// emulator is a running TPM emulator.
type emulator struct {
	dir, socket string
	cmd         *exec.Cmd
}

// startTPM starts swtpm with a state directory of its own, or skips the test.
func startTPM(t testing.TB) *emulator {
	t.Helper()
	path, err := exec.LookPath("swtpm")
	if err != nil {
		t.Skip("swtpm is not installed: apt-get install swtpm")
	}
	dir, err := os.MkdirTemp("", "tpm") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := &emulator{dir: dir, socket: filepath.Join(dir, "s")}
	e.start(t, path)
	t.Cleanup(e.stop)
	return e
}

func (e *emulator) start(t testing.TB, path string) {
	t.Helper()
	_ = os.Remove(e.socket)
	e.cmd = exec.Command(path, "socket", "--tpm2", "--tpmstate", "dir="+e.dir, "--server", "type=unixio,path="+e.socket,
		"--ctrl", "type=unixio,path="+e.socket+".ctrl", "--flags", "not-need-init,startup-clear")
	e.cmd.Stderr = os.Stderr
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 3000 { // half a minute on the busiest machine
		if c, err := net.Dial("unix", e.socket); err == nil { // the file is there before anybody listens
			c.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("swtpm does not listen")
}

func (e *emulator) stop() {
	if e.cmd != nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
		e.cmd = nil
	}
}

func (e *emulator) spec(options string) string { return "tpm:unix:" + e.socket + options }

func openStore(t testing.TB, spec, dir string) Store {
	t.Helper()
	s, err := Open(spec, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

// stores runs a test over both kinds of store; again opens the same one once more, as a restart does.
func stores(t *testing.T, test func(t *testing.T, open func() Store)) {
	t.Run("file", func(t *testing.T) {
		dir := t.TempDir()
		test(t, func() Store { return openStore(t, "file", dir) })
	})
	t.Run("tpm", func(t *testing.T) {
		e, dir := startTPM(t), t.TempDir()
		test(t, func() Store { return openStore(t, e.spec(""), dir) })
	})
	t.Run("tpm with PCRs", func(t *testing.T) {
		e, dir := startTPM(t), t.TempDir()
		test(t, func() Store { return openStore(t, e.spec("?pcr=0,7"), dir) })
	})
}
