package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// childFlag makes this program run a part of a measurement in a process of its own.
const childFlag = "-child"

// child plays the part that is named until its standard input ends: "serve" is a CSMS, "agent URL DIR" an agent.
func child(args []string) int {
	var err error
	switch {
	case len(args) == 1 && args[0] == "serve":
		err = childServe()
	case len(args) == 3 && args[0] == "agent":
		err = childAgent(args[1], args[2], os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("no child %q", args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench child:", oneLine(err))
		return 1
	}
	return 0
}

func childServe() error {
	s, err := startServer(nil)
	if err != nil {
		return err
	}
	fmt.Println(s.url)
	_, err = io.Copy(io.Discard, os.Stdin)
	s.close()
	return err
}

// startChild runs a part in a process of its own and returns the line that it says when it is ready; stop ends it.
func startChild(args ...string) (line string, pid int, stop func(), err error) {
	path, err := os.Executable()
	if err != nil {
		return "", 0, nil, err
	}
	cmd := exec.Command(path, append([]string{childFlag}, args...)...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", 0, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", 0, nil, err
	}
	stop = func() { _ = in.Close(); _ = cmd.Wait() }
	line, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", 0, nil, fmt.Errorf("child %s: %w", args[0], err)
	}
	return strings.TrimSpace(line), cmd.Process.Pid, stop, nil
}
