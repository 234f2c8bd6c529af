// Command peerstation is the least that boots at a CSMS with the library ocpp-go.
package main

import (
	"fmt"
	"os"

	ocpp2 "github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
)

func main() {
	if err := boot(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, "peerstation:", err)
		os.Exit(1)
	}
}

// boot connects to url and waits until its BootNotification is answered.
func boot(url string) error {
	s := ocpp2.NewChargingStation("ocpp-go", nil, nil)
	if err := s.Start(url); err != nil {
		return err
	}
	_, err := s.BootNotification(provisioning.BootReasonPowerUp, "m", "v")
	return err
}
