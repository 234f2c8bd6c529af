package uml

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kernelEnv names the kernel.
const kernelEnv = "EVSED_UML_KERNEL"

// kernelLimit is how long the kernel may live: an opening that is measured takes some seconds while hogs turn.
func kernelLimit() time.Duration { return 8*time.Minute + time.Duration(decisions())*15*time.Second }

// inside are the checks that run in the kernel.
var inside = []struct {
	name  string
	check func(*testing.T)
}{
	{"gpio", checkGPIO},
	{"safe", checkSafe},
	{"chips", checkChips},
	{"probe", checkProbe},
	{"lights", checkLights},
	{"keyboard", checkKeyboard},
	{"heat", checkHeat},
	{"can", checkCAN},
	{"guard", checkGuard},
	{"faults", checkFaults},
	{"unplug", checkUnplug},
	{"watchdog", checkWatchdog},
	{"latency", checkLatency},
	{"station", checkStation},
}

// TestKernel boots the kernel and takes over what its checks say. As process 1 of that kernel it is the checks.
func TestKernel(t *testing.T) {
	if os.Getpid() == 1 {
		for _, c := range inside {
			t.Run(c.name, c.check)
		}
		return
	}
	kernel := os.Getenv(kernelEnv)
	if kernel == "" {
		t.Skip("no kernel to run in: make test-kernel builds one")
	}
	root := makeRoot(t)
	results, output, err := boot(t, kernel, root, os.Getenv(checksEnv))
	// A machine that stands still for a second is a contact that does not move for a second: what failed gets another kernel, and has
	// to fail there, too.
	if again := failed(results, err); again != "" {
		t.Logf("again: %s; the first kernel's console said:\n%s", again, output)
		var second map[string]string
		second, output, err = boot(t, kernel, root, again)
		maps.Copy(results, second)
	}
	for _, c := range inside {
		r, ran := results[c.name]
		t.Run(c.name, func(t *testing.T) {
			switch {
			case !ran && os.Getenv(checksEnv) != "":
				t.Skip("not among those asked for in " + checksEnv)
			case !ran:
				t.Error("the kernel ended before it")
			case r == "FAIL":
				t.Error("failed, see above")
			case r == "SKIP":
				t.Skip("skipped, see above")
			}
		})
	}
	if err != nil {
		t.Errorf("kernel: %v", err)
	}
	if t.Failed() || testing.Verbose() {
		t.Logf("what the kernel's console said:\n%s", output)
	}
}

// failed names the checks that failed, or did not come to run in a kernel that ended before them, as checksEnv has it.
func failed(results map[string]string, err error) string {
	only := os.Getenv(checksEnv)
	var all []string
	for _, c := range inside {
		if r, ran := results[c.name]; r == "FAIL" || !ran && err != nil && only == "" {
			all = append(all, c.name)
		}
	}
	return strings.Join(all, "|")
}

// makeRoot makes the folder that the kernel sees as its root: programs, the files of a board, and mount points.
func makeRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"dev", "proc", "sys", "tmp", "run", "etc"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", filepath.Join(root, "evsed"), "github.com/evsed/evsed/cmd/evsed")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build evsed: %v: %s", err, text)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, self, filepath.Join(root, "init"))
	copyFile(t, "board.yaml", filepath.Join(root, "board.yaml"))
	return root
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// verdict is how a check ends on the console.
var verdict = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): TestKernel/([a-z0-9-]+) `)

// boot runs the kernel until it powers off, and returns each check's verdict and the console.
func boot(t *testing.T, kernel, root, checks string) (map[string]string, string, error) {
	t.Helper()
	cmd := exec.Command(kernel, "mem=256M", "root=none", "rootfstype=hostfs", "rootflags="+root, "rw", "init=/init", "con=null", "con0=fd:0,fd:1",
		"quiet", "loglevel=4", "i2c_stub.chip_addr="+chipAddresses(), "softdog.soft_noboot=1",
		checksEnv+"="+checks, decisionsEnv+"="+os.Getenv(decisionsEnv))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a kernel is several processes
	cmd.Env = append(os.Environ(), memoryFolder()...)
	stdin, keep := io.Pipe() // a console that nobody types on
	defer keep.Close()
	cmd.Stdin = stdin
	console, screen, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer console.Close()
	cmd.Stdout, cmd.Stderr = screen, screen
	err = cmd.Start()
	_ = screen.Close()
	if err != nil {
		return nil, "", fmt.Errorf("%s does not start here: %w", kernel, err)
	}
	kill := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	late := time.AfterFunc(kernelLimit(), kill)
	results := map[string]string{}
	var said bytes.Buffer
	lines := bufio.NewScanner(console)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), "\r")
		said.WriteString(line + "\n")
		if m := verdict.FindStringSubmatch(line); m != nil {
			results[m[2]] = m[1]
		}
	}
	if !late.Stop() {
		err = errors.New("it did not end within " + kernelLimit().String())
	}
	_ = keep.Close()
	_ = cmd.Wait() // its code says how it was halted, not how the checks went
	kill()
	if err == nil && !bytes.Contains(said.Bytes(), []byte(allDone)) {
		err = errors.New("it ended before its checks did")
	}
	return results, said.String(), err
}

// memoryFolder keeps the kernel's memory off a /dev/shm that is too small for it.
func memoryFolder() []string {
	var fs syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &fs); err == nil && uint64(fs.Bavail)*uint64(fs.Bsize) > 300<<20 {
		return nil
	}
	return []string{"TMPDIR=" + os.TempDir()}
}
