package virtual

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
)

func (w *town) set(component, variable, value string) msg2.SetVariableStatus {
	w.t.Helper()
	resp, err := w.csms.Ask(w.t.Context(), "cs", &msg2.SetVariablesRequest{SetVariableData: []msg2.SetVariableData{{
		Component: msg2.Component{Name: component}, Variable: msg2.Variable{Name: variable}, AttributeValue: value}}})
	w.must(err)
	return resp.(*msg2.SetVariablesResponse).SetVariableResult[0].AttributeStatus
}

// TestWrongAddressFromCSMS: a CSMS sends the station to an address where nobody is, and restarts it. The station finds
// back to the CSMS that answered last, with the session that was under way.
func TestWrongAddressFromCSMS(t *testing.T) {
	edit := func(o *Options) { o.Settings = append(o.Settings, setting("TxCtrlr", "ResumptionTimeout", "900")) }
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart is %v", restart), func(t *testing.T) {
			inTown(t, edit, nil, func(w *town) {
				var astray atomic.Int64
				right := w.station.wire.base
				w.station.wire.base = func(ctx context.Context, network, address string) (net.Conn, error) {
					if address != "csms.test:80" {
						astray.Add(1)
						return nil, net.ErrClosed
					}
					return right(ctx, network, address)
				}
				w.charge()
				resp, err := w.csms.Ask(w.t.Context(), "cs", &msg2.SetNetworkProfileRequest{ConfigurationSlot: 2, ConnectionData: msg2.NetworkConnectionProfile{
					OCPPVersion: "OCPP20", OCPPInterface: "Wired0", OCPPTransport: "JSON", MessageTimeout: 30, OCPPCSMSURL: "ws://nowhere.test"}})
				w.must(err)
				if st := resp.(*msg2.SetNetworkProfileResponse).Status; st != "Accepted" {
					t.Fatalf("profile: %v", st)
				}
				if st := w.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "2"); st != "Accepted" && st != "RebootRequired" {
					t.Fatalf("priority: %v", st)
				}
				if restart {
					w.station.Restart(station.BootRemoteReset)
				} else {
					w.cut(0, 0)
				}
				w.after(15 * time.Minute)
				if astray.Load() == 0 {
					t.Fatal("the wrong address was not tried")
				}
				if _, ok := w.csms.Connected("cs"); !ok {
					t.Fatalf("lost for ever, after %d attempts at the wrong address: %+v", astray.Load(), w.station.Status())
				}
				w.wantRelay(true, "behind a wrong address")
				w.leave()
				w.settled(1, time.Minute)
			})
		})
	}
}

// TestConfiguredToDeath: a CSMS sets one variable after the other to values with which nothing would work. Whatever the
// station takes, it still charges, is heard, and can be told better.
func TestConfiguredToDeath(t *testing.T) {
	hostile := []string{"0", "-1", "1", "2147483647", "", "99999999999999999999", "true", "false", "x"}
	variables := [][2]string{
		{"OCPPCommCtrlr", "HeartbeatInterval"}, {"OCPPCommCtrlr", "WebSocketPingInterval"}, {"OCPPCommCtrlr", "RetryBackOffWaitMinimum"},
		{"OCPPCommCtrlr", "RetryBackOffRandomRange"}, {"OCPPCommCtrlr", "RetryBackOffRepeatTimes"}, {"OCPPCommCtrlr", "NetworkProfileConnectionAttempts"},
		{"OCPPCommCtrlr", "NetworkConfigurationPriority"}, {"OCPPCommCtrlr", "OfflineThreshold"}, {"OCPPCommCtrlr", "ResetRetries"},
		{"SampledDataCtrlr", "TxUpdatedInterval"}, {"SampledDataCtrlr", "TxEndedInterval"}, {"AlignedDataCtrlr", "Interval"},
		{"TxCtrlr", "EVConnectionTimeOut"}, {"ClockCtrlr", "TimeSource"}, {"AuthCacheCtrlr", "LifeTime"},
		{"SecurityCtrlr", "BasicAuthPassword"}, // the last one: it begins a new connection
	}
	for _, value := range hostile {
		t.Run("to "+value, func(t *testing.T) {
			inTown(t, nil, nil, func(w *town) {
				w.charge()
				taken := 0
				for _, v := range variables {
					if st := w.set(v[0], v[1], value); st == "Accepted" {
						taken++
					}
				}
				w.charging(time.Minute, "with hostile settings")
				w.cut(0, 0)
				w.must(w.station.SetNetwork(false, 0, 0))
				w.after(10 * time.Second)
				w.must(w.station.SetNetwork(true, 0, 0))
				w.after(2 * time.Minute)
				w.wantRelay(true, "with hostile settings")
				if _, ok := w.csms.Connected("cs"); !ok {
					t.Fatalf("not heard of again: %+v", w.station.Status())
				}
				if st := w.set("SampledDataCtrlr", "TxUpdatedInterval", "15"); st != "Accepted" {
					t.Errorf("cannot be told better: %v", st)
				}
				w.leave()
				w.settled(1, 15*time.Minute)
				t.Logf("%d of %d were taken", taken, len(variables))
			})
		})
	}
}

// TestOfferedVersionsFromCSMS: what is offered is what the CSMS last set, from the next connection on and behind a restart. What
// it does not speak is offered in vain until the connection that worked before is tried.
func TestOfferedVersionsFromCSMS(t *testing.T) {
	inTown(t, nil, nil, func(w *town) {
		w.after(time.Minute)
		speaks := func(want, when string) {
			t.Helper()
			if got := w.station.Status().Protocol; got != want {
				t.Errorf("%s %s is spoken, want %s", when, got, want)
			}
		}
		speaks("ocpp2.1", "at first")
		for _, wrong := range []string{"", "ocpp1.7", "soap1.6"} {
			if st := w.set("OCPPCommCtrlr", "OfferedVersions", wrong); st != "Rejected" {
				t.Errorf("%q: %s", wrong, st)
			}
		}
		if st := w.set("OCPPCommCtrlr", "OfferedVersions", "ocpp2.0.1"); st != "Accepted" {
			t.Fatalf("ocpp2.0.1: %s", st)
		}
		w.after(time.Minute)
		speaks("ocpp2.1", "on the same connection")
		w.cut(0, 0)
		w.after(5 * time.Minute)
		speaks("ocpp2.0.1", "on the next connection")
		w.station.Restart(station.BootRemoteReset)
		w.after(5 * time.Minute)
		speaks("ocpp2.0.1", "behind a restart")
	})
}
