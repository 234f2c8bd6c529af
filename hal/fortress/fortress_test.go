package fortress

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be a process that confines itself, and then tries what it must not be able to do.
func TestMain(m *testing.M) {
	switch os.Getenv("EVSED_TEST_CONFINED") {
	case "agent":
		confinedAgent()
	case "guard":
		confinedGuard()
	case "program":
		tell("", statusOf("self"))
	default:
		os.Exit(m.Run())
	}
}

// kept is the room of a confined process, in its own words and those of its test.
type kept struct{ state, outside string }

func (k kept) secret() string { return filepath.Join(k.outside, "secret") }

// confinedAgent prints "what=error" for each thing that it tries, and what the kernel says of its threads.
func confinedAgent() {
	k := kept{os.Args[1], os.Args[2]}
	port, _ := strconv.Atoi(os.Args[3])
	runtime.LockOSThread() // the attempts below are those of a thread that did not ask for the sandbox
	r := make(chan Report)
	go func() {
		p := Plan{Write: []string{k.state}, Read: []string{"/proc", "/not/there"}, Device: []string{os.DevNull, "/sys/kernel"}, Bind: []uint16{uint16(port)}, Pass: []uint{unix.CAP_SYS_NICE}}
		if len(os.Args) > 4 {
			p.Execute = []string{os.Args[4]}
		}
		r <- p.Confine()
	}()
	report := <-r
	fmt.Println("report=" + report.String())
	fmt.Println("whole=" + fmt.Sprint(report.Whole()))
	for name, try := range map[string]func() error{
		"write inside": func() error { return os.WriteFile(filepath.Join(k.state, "new"), []byte("x"), 0o600) },
		"move inside": func() error {
			return errors.Join(os.Mkdir(filepath.Join(k.state, "a"), 0o700), os.WriteFile(filepath.Join(k.state, "f"), nil, 0o600), os.Rename(filepath.Join(k.state, "f"), filepath.Join(k.state, "a", "f")), os.RemoveAll(filepath.Join(k.state, "a")))
		},
		"null":           func() error { return os.WriteFile(os.DevNull, []byte("x"), 0) },
		"list devices":   func() error { _, err := os.ReadDir("/sys/kernel"); return err }, // a guard that is started again looks for its own by name
		"proc":           func() error { _, err := os.ReadFile("/proc/self/maps"); return err },
		"write outside":  func() error { return os.WriteFile(filepath.Join(k.outside, "new"), nil, 0o600) },
		"change outside": func() error { return os.Truncate(k.secret(), 0) },
		"remove outside": func() error { return os.Remove(k.secret()) },
		"read outside":   func() error { _, err := os.ReadFile(k.secret()); return err },
		"list outside":   func() error { _, err := os.ReadDir(k.outside); return err },
		"a program":      func() error { return exec.Command("/bin/true").Run() },
		"bind its port":  func() error { return listen(port) },
		"bind another":   func() error { return listen(0) },
		"multipath":      func() error { return socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP) },
		"packets":        func() error { return socket(unix.AF_PACKET, unix.SOCK_RAW, 0) },
		"kernel crypto":  func() error { return socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0) },
		"internet":       func() error { return socket(unix.AF_INET6, unix.SOCK_DGRAM, 0) },
		"ptrace":         func() error { return call(unix.SYS_PTRACE, unix.PTRACE_ATTACH, uintptr(os.Getppid())) },
		"mount":          func() error { return unix.Mount("none", k.state, "tmpfs", 0, "") },
		"bpf":            func() error { return call(unix.SYS_BPF, 0, 0) },
		"user namespace": func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"clone user":     func() error { return call(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD), 0) },
		"module":         func() error { return call(unix.SYS_INIT_MODULE, 0, 0) },
		"become another": func() error { return call(unix.SYS_SETUID, 1, 0) },
		"device node":    func() error { return unix.Mknod(filepath.Join(k.state, "node"), unix.S_IFCHR|0o600, 0x103) },
		"new code": func() error {
			_, err := unix.Mmap(-1, 0, 4096, unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
			return err
		},
	} {
		fmt.Printf("%s=%v\n", name, cause(try()))
	}
	tasks, _ := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		tell("thread ", statusOf("self/task/"+task.Name()))
	}
	if len(os.Args) > 4 {
		c := exec.Command(os.Args[4])
		c.Env = append(os.Environ(), "EVSED_TEST_CONFINED=program")
		out, err := c.CombinedOutput()
		fmt.Printf("own program=%v\n", err)
		for line := range strings.Lines(string(out)) {
			fmt.Print("program " + line)
		}
	}
}

// cause is the error number of what went wrong: the same on every machine.
func cause(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	return err
}

func call(n, a, b uintptr) error {
	if _, _, e := unix.RawSyscall6(n, a, b, 0, 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

func socket(family, kind, proto int) error {
	fd, err := unix.Socket(family, kind, proto)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func listen(port int) error {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		l.Close()
	}
	return err
}

// statusOf returns the lines of /proc/ID/status that tell of a sandbox.
func statusOf(id string) (lines []string) {
	text, err := os.ReadFile("/proc/" + id + "/status")
	if err != nil {
		return []string{err.Error()}
	}
	for line := range strings.Lines(string(text)) {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "NoNewPrivs", "Seccomp", "CapEff", "CapPrm", "CapBnd", "CapAmb":
			lines = append(lines, strings.Join(strings.Fields(line), ""))
		}
	}
	return lines
}

func tell(prefix string, lines []string) {
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ":")
		fmt.Printf("%s%s=%s\n", prefix, name, value)
	}
}

// confined runs the test binary as one of the processes above and returns what it printed: for each name all values.
func confined(t *testing.T, as *syscall.Credential, kind, program string, args ...string) map[string][]string {
	t.Helper()
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "EVSED_TEST_CONFINED="+kind)
	c.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	c.Dir = "/"
	text, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	said := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		said[name] = append(said[name], value)
	}
	return said
}

// requireLandlock skips where the kernel has less than the tests ask for.
func requireLandlock(t *testing.T) {
	t.Helper()
	abi, _, _ := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if int(abi) < 4 {
		t.Skip("landlock with ports (abi 4) is not in this kernel")
	}
}

// nobody is who owns nothing.
const nobody = 65534

// room makes the folders of a confined process, and a copy of this program that anybody may start.
func room(t *testing.T, uid int) (k kept, program string) {
	t.Helper()
	base, err := os.MkdirTemp("", "fortress-test-") // below a folder that others may enter
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	must(t, os.Chmod(base, 0o755))
	k = kept{filepath.Join(base, "state"), filepath.Join(base, "outside")}
	for _, dir := range []string{k.state, k.outside} {
		must(t, os.Mkdir(dir, 0o755))
		must(t, os.Chown(dir, uid, -1))
	}
	must(t, os.WriteFile(k.secret(), []byte("secret"), 0o666))
	must(t, os.Chmod(k.secret(), 0o666))
	program = filepath.Join(base, "program")
	self, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	must(t, os.WriteFile(program, self, 0o755))
	return k, program
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestConfinedAgent: of what an attacker would try, nothing works on any thread; what a station does goes on working. So for
// who was root, and for who was not.
func TestConfinedAgent(t *testing.T) {
	requireLandlock(t)
	users := map[string]*syscall.Credential{"as started": nil}
	if os.Getuid() == 0 {
		users["unprivileged"] = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	for name, as := range users {
		t.Run(name, func(t *testing.T) {
			uid := os.Getuid()
			if as != nil {
				uid = nobody
			}
			k, program := room(t, uid)
			port := freePort(t)
			said := confined(t, as, "agent", program, k.state, k.outside, strconv.Itoa(port))
			const nothing, eperm, eacces = "<nil>", "operation not permitted", "permission denied"
			for what, want := range map[string]string{
				"whole": nothing, "write inside": nothing, "move inside": nothing, "null": nothing, "list devices": nothing, "proc": nothing, "bind its port": nothing, "internet": nothing,
				"write outside": eacces, "change outside": eacces, "remove outside": eacces, "read outside": eacces, "list outside": eacces,
				"a program": eperm, "bind another": eacces, "multipath": "protocol not supported", "packets": "address family not supported by protocol",
				"kernel crypto": "address family not supported by protocol", "ptrace": eperm, "mount": eperm, "bpf": eperm, "user namespace": eperm,
				"clone user": eperm, "module": eperm, "become another": eperm, "device node": eperm,
			} {
				if got := strings.Join(said[what], " "); got != want {
					t.Errorf("%s: %q, want %q", what, got, want)
				}
			}
			if r := said["report"][0]; strings.Contains(r, "no new code") && said["new code"][0] == nothing {
				t.Error("new code runs")
			} else if !strings.Contains(r, "landlock abi") || !strings.Contains(r, "seccomp, no new privileges, capabilities dropped") {
				t.Errorf("it says: %s", r)
			}
			for what, want := range map[string]string{"thread NoNewPrivs": "1", "thread Seccomp": "2", "thread CapEff": strings.Repeat("0", 16)} {
				if len(said[what]) < 2 {
					t.Errorf("%s of %d threads", what, len(said[what]))
				}
				for _, got := range said[what] {
					if got != want {
						t.Errorf("%s: %s, want %s", what, got, want)
					}
				}
			}
			if text, err := os.ReadFile(k.secret()); string(text) != "secret" {
				t.Errorf("the secret has changed: %q %v", text, err)
			}
		})
	}
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestProgramOfAConfined: only the program of the plan can be started; it is as confined, and has the capabilities that are
// passed on and no other.
func TestProgramOfAConfined(t *testing.T) {
	requireLandlock(t)
	k, program := room(t, os.Getuid())
	said := confined(t, nil, "agent", program, k.state, k.outside, "1", program)
	if got := said["a program"][0]; got != "permission denied" {
		t.Errorf("another program: %s", got)
	}
	want := strings.Repeat("0", 16)
	if os.Getuid() == 0 {
		want = fmt.Sprintf("%016x", 1<<unix.CAP_SYS_NICE)
	}
	for what, want := range map[string]string{"own program": "<nil>", "program NoNewPrivs": "1", "program Seccomp": "2", "program CapEff": want, "program CapPrm": want} {
		if got := strings.Join(said[what], " "); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	if got := said["thread CapEff"][0]; got != strings.Repeat("0", 16) {
		t.Errorf("it uses itself what it passes on: %s", got)
	}
}

// confinedGuard is a guard at work: it talks over a pipe and makes threads. Everything else is refused.
func confinedGuard() {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		panic(err)
	}
	status, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	fmt.Println("report=" + Plan{Filter: Guard, Device: os.Args[1:], Offline: true, Alone: true}.Confine().String())
	done := make(chan bool)
	for range 20 { // threads of their own
		go func() { runtime.LockOSThread(); _ = make([]byte, 1<<20); done <- true }()
	}
	for range 20 {
		<-done
	}
	runtime.GC()
	b := []byte{1}
	_, werr := unix.Write(pipe[1], b)
	_, rerr := unix.Read(pipe[0], b)
	text := make([]byte, 8192)
	_, serr := status.Read(text)
	_, oerr := os.Open("/proc/self/status")
	fork, _, _ := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if int(fork) == 0 {
		unix.Exit(0)
	}
	var again error
	for _, folder := range os.Args[1:] {
		port, err := os.OpenFile(filepath.Join(folder, "port"), os.O_RDWR, 0)
		again = err
		_ = port.Close()
	}
	for name, err := range map[string]error{
		"port": again, "pipe": errors.Join(werr, rerr), "open before": serr, "open after": cause(oerr), "socket": socket(unix.AF_UNIX, unix.SOCK_STREAM, 0),
		"fork": fmt.Errorf("%v", int(fork) > 0), "program": cause(unix.Exec("/bin/true", []string{"true"}, nil)),
	} {
		fmt.Printf("%s=%v\n", name, err)
	}
}

// TestConfinedGuard: a guard goes on guarding and can do nothing else.
func TestConfinedGuard(t *testing.T) {
	requireLandlock(t)
	said := confined(t, nil, "guard", os.Args[0])
	for what, want := range map[string]string{"pipe": "<nil>", "open before": "<nil>", "open after": "operation not permitted", "socket": "operation not permitted",
		"fork": "false", "program": "operation not permitted"} {
		if got := strings.Join(said[what], " "); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	if r := said["report"][0]; !strings.Contains(r, "seccomp") {
		t.Error(r)
	}
}

// TestConfinedGuardWithAPort: one whose port may be unplugged opens what is there later, and nothing else.
func TestConfinedGuardWithAPort(t *testing.T) {
	requireLandlock(t)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "port"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	said := confined(t, nil, "guard", os.Args[0], folder)
	for what, want := range map[string]string{"port": "<nil>", "pipe": "<nil>", "open after": "permission denied", "socket": "operation not permitted"} {
		if got := strings.Join(said[what], " "); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}

// run is what a kernel does with a filter.
func run(t *testing.T, f []unix.SockFilter, nr, arch uint32, args ...uint64) uint32 {
	t.Helper()
	var data [64]byte
	*(*uint32)(unsafe.Pointer(&data[atCall])), *(*uint32)(unsafe.Pointer(&data[atArch])) = nr, arch
	for i, a := range args {
		*(*uint64)(unsafe.Pointer(&data[atArg+i*argWidth])) = a
	}
	var acc uint32
	for pc := 0; pc < len(f); pc++ {
		in := f[pc]
		branch := func(yes bool) {
			if yes {
				pc += int(in.Jt)
			} else {
				pc += int(in.Jf)
			}
		}
		switch in.Code {
		case load:
			acc = *(*uint32)(unsafe.Pointer(&data[in.K]))
		case equal:
			branch(acc == in.K)
		case atMost:
			branch(acc > in.K)
		case anyBit:
			branch(acc&in.K != 0)
		case result:
			return in.K
		default:
			t.Fatalf("instruction %d: code %#x", pc, in.Code)
		}
	}
	t.Fatal("the filter has no end")
	return 0
}

// TestFilters asks the filters about every call that there is.
func TestFilters(t *testing.T) {
	for name, test := range map[string]struct {
		f         []unix.SockFilter
		yes, no   []uintptr
		otherwise uint32
	}{
		"agent":                 {f: agentFilter(true), no: append(denied[:len(denied):len(denied)], deniedHere...), yes: []uintptr{unix.SYS_EXECVE}, otherwise: allow},
		"agent without a child": {f: agentFilter(false), no: append(denied[:len(denied):len(denied)], unix.SYS_EXECVE, unix.SYS_EXECVEAT), otherwise: allow},
		"guard":                 {f: guardFilter(false), yes: append(guardCalls[:len(guardCalls):len(guardCalls)], guardCallsHere...), no: append([]uintptr{unix.SYS_OPENAT, unix.SYS_SOCKET, unix.SYS_CONNECT, unix.SYS_EXECVE}, denied...), otherwise: refuse},
	} {
		for _, nr := range test.yes {
			if got := run(t, test.f, uint32(nr), arch); got != allow {
				t.Errorf("%s: call %d: %#x, want it allowed", name, nr, got)
			}
		}
		for _, nr := range test.no {
			if got := run(t, test.f, uint32(nr), arch); got != refuse {
				t.Errorf("%s: call %d: %#x, want it refused", name, nr, got)
			}
		}
		for _, nr := range []uint32{0, 1, unix.SYS_OPENAT} {
			if got := run(t, test.f, nr, 0x40000003); got != kill {
				t.Errorf("%s: call %d of another architecture: %#x", name, nr, got)
			}
			if got := run(t, test.f, nr|0x40000000, arch); got != kill {
				t.Errorf("%s: call %d in another way: %#x", name, nr, got)
			}
		}
		if got := run(t, test.f, 9999, arch); got != test.otherwise {
			t.Errorf("%s: a call that nobody knows: %#x, want %#x", name, got, test.otherwise)
		}
		if got := run(t, test.f, unix.SYS_CLONE3, arch); got != missing {
			t.Errorf("%s: clone3: %#x", name, got)
		}
	}
	agent, guard := agentFilter(true), guardFilter(false)
	const thread, process = unix.CLONE_VM | unix.CLONE_THREAD, uint64(unix.SIGCHLD)
	for name, got := range map[string][2]uint32{
		"agent makes a thread":       {run(t, agent, unix.SYS_CLONE, arch, thread), allow},
		"agent makes a process":      {run(t, agent, unix.SYS_CLONE, arch, process), allow},
		"agent makes a world":        {run(t, agent, unix.SYS_CLONE, arch, process|unix.CLONE_NEWUSER), refuse},
		"agent's socket":             {run(t, agent, unix.SYS_SOCKET, arch, unix.AF_NETLINK, unix.SOCK_RAW, 0), allow},
		"agent's socket of packets":  {run(t, agent, unix.SYS_SOCKET, arch, unix.AF_PACKET, unix.SOCK_RAW, 0), noKind},
		"agent's socket of two ways": {run(t, agent, unix.SYS_SOCKET, arch, unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_MPTCP), noProto},
		"guard makes a thread":       {run(t, guard, unix.SYS_CLONE, arch, thread), allow},
		"guard makes a process":      {run(t, guard, unix.SYS_CLONE, arch, process), refuse},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %#x, want %#x", name, got[0], got[1])
		}
	}
}

// TestReport: what does not hold is said, and makes a sandbox that is not whole.
func TestReport(t *testing.T) {
	for _, test := range []struct {
		r    Report
		text string
		bad  bool
	}{
		{Report{}, "nothing", true},
		{Report{Landlock: 3, Seccomp: true, NoPrivileges: true, Capabilities: true}, "landlock abi 3, seccomp, no new privileges, capabilities dropped", false},
		{Report{Seccomp: true, NoPrivileges: true, Capabilities: true, Refused: []string{"landlock: none"}}, "seccomp, no new privileges, capabilities dropped", true},
	} {
		if test.r.String() != test.text || (test.r.Whole() != nil) != test.bad {
			t.Errorf("%+v: %s, %v", test.r, test.r, test.r.Whole())
		}
	}
}
