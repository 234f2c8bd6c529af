// Command rawstation is the least that boots at a CSMS: a WebSocket and one frame. Its start is the limit for a station's.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/coder/websocket"
)

const bootCall = `[2,"1","BootNotification",{"reason":"PowerUp","chargingStation":{"model":"m","vendorName":"v"}}]`

func main() {
	if err := boot(os.Args[len(os.Args)-1] + "/raw"); err != nil {
		fmt.Fprintln(os.Stderr, "rawstation:", err)
		os.Exit(1)
	}
}

// boot connects to url and waits until its BootNotification is answered.
func boot(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{"ocpp2.0.1"}})
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
