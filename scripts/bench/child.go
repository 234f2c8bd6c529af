package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/coder/websocket"
	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
)

// childFlag makes this program one of its own contenders: a process that is timed from its start, or that must not
// share a process with what is measured.
const childFlag = "-child"

// child plays the part that is named: "serve" is a CSMS until its standard input ends; "raw URL" and "ocpp-go URL" are
// stations that boot and end.
func child(args []string) int {
	var err error
	switch {
	case len(args) == 1 && args[0] == "serve":
		err = childServe()
	case len(args) == 2 && args[0] == "raw":
		err = childRaw(args[1])
	case len(args) == 2 && args[0] == "ocpp-go":
		err = childOCPPGo(args[1])
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

// startChildServer runs a server in a process of its own; stop ends it.
func startChildServer() (url string, stop func(), err error) {
	cmd, err := self("serve")
	if err != nil {
		return "", nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = in.Close(); _ = cmd.Wait() }
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, err
	}
	return strings.TrimSpace(line), stop, nil
}

// self is this program as a child.
func self(args ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, append([]string{childFlag}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// bootCall is the least BootNotification.
const bootCall = `[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]`

func childRaw(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := dialRaw(ctx, url+"/raw")
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte(bootCall)); err != nil {
		return err
	}
	_, _, err = c.Read(ctx)
	return err
}

func dialRaw(ctx context.Context, url string) (*websocket.Conn, error) {
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{"ocpp2.0.1"}})
	return c, err
}

func childOCPPGo(url string) error {
	s := ocpp2.NewChargingStation("ocpp-go", nil, nil)
	if err := s.Start(url); err != nil {
		return err
	}
	_, err := s.BootNotification(provisioning.BootReasonPowerUp, "m", "v")
	return err
}
