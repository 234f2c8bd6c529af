package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// nobody owns nothing and is nobody's friend.
const nobody = 65534

// unprivileged makes the station run as a user without rights, who owns its state and can start a copy of this program.
func (p *process) unprivileged() {
	p.t.Helper()
	if os.Getuid() != 0 {
		return // it is unprivileged as it is
	}
	base, err := os.MkdirTemp("", "evsed-test-") // below a folder that others may enter
	must(p.t, err)
	p.t.Cleanup(func() { os.RemoveAll(base) })
	p.dir = filepath.Join(base, "home", "state")
	must(p.t, os.Mkdir(filepath.Dir(p.dir), 0o700))
	must(p.t, os.Chown(filepath.Dir(p.dir), nobody, nobody))
	seed, program := filepath.Join(base, "seed.json"), filepath.Join(base, "evsed")
	for to, from := range map[string]string{seed: p.seed, program: "/proc/self/exe"} {
		text, err := os.ReadFile(from)
		must(p.t, err)
		must(p.t, os.WriteFile(to, text, 0o755))
	}
	must(p.t, os.Chmod(base, 0o755))
	p.seed, p.program = seed, program
	p.as = &syscall.Credential{Uid: nobody, Gid: nobody}
}

// status returns a line of /proc/PID/status.
func status(t *testing.T, pid, line string) string {
	t.Helper()
	text, err := os.ReadFile("/proc/" + pid + "/status")
	must(t, err)
	for l := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(l, line+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// TestUnprivilegedSession: a user without any right charges a car, with a guard of its own process that is started again
// when it dies; and no thread of either has a privilege, or could get one.
func TestUnprivilegedSession(t *testing.T) {
	for _, guard := range []string{guardWithin, guardChild} {
		t.Run(guard, func(t *testing.T) {
			_, url := backend(t, nil)
			p := newProcess(t, url)
			p.args = []string{"--guard", guard}
			p.unprivileged()
			p.boot()
			p.connected()
			p.charge()
			for _, pid := range family(t, p.cmd.Process.Pid) {
				threads, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
				must(t, err)
				if len(threads) < 2 {
					t.Errorf("process %d: %d threads", pid, len(threads))
				}
				for _, thread := range threads {
					tid := strings.TrimSuffix(strings.TrimPrefix(thread, "/proc/"), "/status")
					for line, want := range map[string]string{"NoNewPrivs": "1", "Seccomp": "2", "CapEff": strings.Repeat("0", 16), "CapPrm": strings.Repeat("0", 16)} {
						if got := status(t, tid, line); got != want {
							t.Errorf("thread %s: %s is %s, want %s", tid, line, got, want)
						}
					}
				}
			}
			if guard == guardChild {
				first := children(p.cmd.Process.Pid)
				if len(first) != 1 {
					t.Fatalf("children: %q", first)
				}
				pid, err := strconv.Atoi(first[0])
				must(t, err)
				if p.program != "" {
					must(t, os.Remove(p.program)) // an update has replaced it
				}
				must(t, unix.Kill(pid, unix.SIGKILL))
				p.until("another guard is there", func() bool {
					now := children(p.cmd.Process.Pid)
					return len(now) == 1 && now[0] != first[0]
				})
				p.until("it can charge again", func() bool {
					p.do("/evses/1/unplug", `{}`)
					p.do("/evses/1/plug", `{}`)
					p.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
					return p.state().EVSEs[0].Relay
				})
			}
			p.terminate()
		})
	}
}

// TestSandboxWord: what holds is said at the start; off is said as well; whatever is no word is refused.
func TestSandboxWord(t *testing.T) {
	for word, want := range map[string]string{
		sandboxOn:      "no new privileges",
		sandboxOff:     "nothing: it is off",
		sandboxRequire: "landlock abi",
	} {
		if _, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); e != 0 && word == sandboxRequire {
			continue // this kernel has no landlock, and the process would end
		}
		p := newProcess(t, "ws://127.0.0.1:1")
		p.args = []string{"--sandbox", word}
		p.boot()
		p.until("it says "+want, func() bool { return strings.Contains(p.out.String(), want) })
		seccomp := status(t, strconv.Itoa(p.cmd.Process.Pid), "Seccomp")
		if (seccomp == "2") != (word != sandboxOff) {
			t.Errorf("--sandbox %s: Seccomp is %s", word, seccomp)
		}
		p.terminate()
	}
	var out, errs output
	for _, command := range []string{"run", "guard"} {
		errs.Reset()
		args := []string{command, "--sandbox", "maybe"}
		if command == "run" {
			args = append(args, "--state", "x", "--sim-listen", "127.0.0.1:0")
		}
		if code := dispatch(args, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), `--sandbox: "maybe": want on, require or off`) {
			t.Errorf("%s: exit code %d, %s", command, code, errs.String())
		}
	}
}

// children are the processes that a process has started and that are still there.
func children(pid int) (pids []string) {
	tasks, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // a thread that has ended has none
		pids = append(pids, strings.Fields(string(text))...)
	}
	return pids
}
