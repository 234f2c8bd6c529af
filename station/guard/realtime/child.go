package realtime

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/station/guard"
)

// Child is a guard that runs as a child of the station.
type Child struct {
	Conn *os.File // the station's end, for guard.Remote; closed, the guard opens everything and ends
	cmd  *exec.Cmd
}

// Start runs a guard: path is this binary and args what makes it one ("guard"). It gets the socket as SocketFD, the table
// as TableFD, and what devices need from DeviceFD on. What it says goes to errs.
func Start(path string, args []string, table *guard.Table, devices []*os.File, env []string, errs io.Writer) (*Child, error) {
	lines, err := tableFile(table)
	if err != nil {
		return nil, err
	}
	defer lines.Close()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make the guard's socket: %w", err)
	}
	theirs := os.NewFile(uintptr(fds[0]), "station")
	defer theirs.Close()
	ours, err := file(fds[1])
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, args...)
	cmd.Args[0] = os.Args[0] // path may be one that says little, as /proc/self/exe
	cmd.Env, cmd.Stderr = env, errs
	cmd.ExtraFiles = append([]*os.File{theirs, lines}, devices...)
	// A terminal's signals are for the station, which ends its sessions before it closes the socket.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	return &Child{Conn: ours, cmd: cmd}, nil
}

// PID is the guard's process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Wait waits for the guard's end and says how it ended.
func (c *Child) Wait() error { return c.cmd.Wait() }

// tableFile puts a table into memory that a child can read.
func tableFile(table *guard.Table) (*os.File, error) {
	b, err := table.Append(nil)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("evsed-lines", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("hand over the line table: %w", err)
	}
	f := os.NewFile(uintptr(fd), "evsed-lines")
	if _, err := f.WriteAt(b, 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("hand over the line table: %w", err)
	}
	return f, nil
}
