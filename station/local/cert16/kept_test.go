package cert16_test

import (
	"errors"
	"testing"
	"time"
)

// TestTransactionGoesOnAfterPowerCut: a short power cut ends nothing, and the id that the Central System gave is known.
func TestTransactionGoesOnAfterPowerCut(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("MeterValueSampleInterval", "30")
		b.words.count(4710)
		tx := b.charging(2, "TAG1")
		b.After(2 * time.Minute)
		b.Post("power", obj{"cycle": true, "offMs": 5000})
		b.boots()
		b.status(0, "Available")
		b.status(1, "Available")
		b.Until("it charges again", func() bool { return b.look(2).Relay })
		b.None(time.Minute, "StopTransaction", nil)
		b.None(0, "StartTransaction", nil)
		b.Skip()
		b.WantWithin(2*time.Minute, "MeterValues", obj{"transactionId": tx})
		b.Swipe(2, "TAG1")
		b.stops(2, tx, "Local")
		b.status(2, "Finishing")
		b.leaves(2)
	})
}

// TestAnsweredBeforeAPowerCut: where the mains announce that they go, what the Central System has answered by then is not told
// again, whether the transaction had ended before or ends for want of power.
func TestAnsweredBeforeAPowerCut(t *testing.T) {
	for _, reason := range []string{"Local", "PowerLoss"} {
		t.Run(reason, func(t *testing.T) {
			ready(t, func(b *bench) {
				b.configure("TxCtrlr.ResumptionTimeout", "0")
				tx := b.charging(2, "TAG1")
				if reason == "Local" {
					b.Swipe(2, "TAG1")
					b.stops(2, tx, reason)
					b.status(2, "Finishing")
				}
				b.Post("power", obj{"on": false, "upsS": 5})
				if reason == "PowerLoss" {
					b.stops(2, tx, reason)
				}
				b.After(10 * time.Second)
				b.Post("power", obj{"on": true})
				b.boots()
				b.None(5*time.Minute, "StopTransaction", nil)
				b.None(0, "StartTransaction", nil)
				b.Skip()
			})
		})
	}
}

// TestOfflineTransactionsOutlastPowerCuts: what happened offline is told in order, each transaction with the id that its start
// is answered with, although the power went in between.
func TestOfflineTransactionsOutlastPowerCuts(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthorizeOffline", "true", "LocalAuthListEnabled", "true", "TxCtrlr.ResumptionTimeout", "0",
			"TxCtrlr.TxBeforeAcceptedEnabled", "true") // a boot without a network is one that nobody has accepted
		b.Answers("Accepted", "SendLocalList", list(1, "Full", "TAG1", "TAG2"))
		b.words.count(99)
		b.network(false)
		for _, tag := range []string{"TAG1", "TAG2"} {
			b.Plug(2)
			b.After(5 * time.Second)
			b.Swipe(2, tag)
			b.WantRelay(2, true)
			b.After(2 * time.Minute)
			if tag == "TAG1" {
				b.Swipe(2, tag)
				b.WantRelay(2, false)
				b.Unplug(2)
			}
			b.Post("power", obj{"cycle": true, "offMs": 5000})
			b.After(time.Minute)
		}
		b.network(true)
		b.WantWithin(time.Hour, "BootNotification", nil)
		b.Want("StartTransaction", obj{"idTag": "TAG1", "connectorId": 2, "meterStart": 0})
		one := b.Want("StopTransaction", obj{"transactionId": 100, "reason": "Local", "idTag": "TAG1"})
		b.Want("StartTransaction", obj{"idTag": "TAG2", "connectorId": 2, "meterStart": one["meterStop"]})
		b.stops(2, 101, "PowerLoss")
		b.None(time.Minute, "StartTransaction", nil)
		b.None(0, "StopTransaction", nil)
		b.Skip()
	})
}

// TestMaxEnergyOnInvalidId: whom the Central System refuses afterwards gets so much and no more.
func TestMaxEnergyOnInvalidId(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AllowOfflineTxForUnknownId", "true", "StopTransactionOnInvalidId", "false", "MaxEnergyOnInvalidId", "100")
		b.offlineUnknown()
		b.status(1, "Charging")
		b.After(30 * time.Second)
		b.WantRelay(1, true)
		b.WantWithin(10*time.Minute, "StatusNotification", obj{"connectorId": 1, "status": "SuspendedEVSE"})
		b.WantRelay(1, false)
		if got := b.look(1).EnergyWh; got < 95 || got > 160 {
			b.Errorf("%g Wh were delivered, 100 were allowed", got)
		}
		b.None(time.Minute, "StopTransaction", nil)
	})
}

// TestOfflineNobodyIsTrusted: without permission nobody charges offline, known or not.
func TestOfflineNobodyIsTrusted(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthorizeOffline", "false", "AllowOfflineTxForUnknownId", "false", "LocalAuthListEnabled", "true", "LocalPreAuthorize", "false")
		b.Answers("Accepted", "SendLocalList", list(1, "Full", "TAG1"))
		b.network(false)
		b.Plug(2)
		b.knows(2, "TAG1", false)
		b.knows(2, "NOBODY", false)
		b.Skip()
	})
}

// TestCentralSystemWithoutWhitepaper: one that does not know of security events is not asked again and again.
func TestCentralSystemWithoutWhitepaper(t *testing.T) {
	play(t, func(b *bench) {
		b.Says("SecurityEventNotification", errors.New("NotImplemented"))
	}, func(b *bench) {
		b.booted()
		b.After(time.Hour)
		if n := b.Count("SecurityEventNotification", nil); n > 1 {
			b.Errorf("%d SecurityEventNotifications", n)
		}
		b.charging(2, "TAG1")
	})
}

// TestAlignedDataOfTransaction: what was measured on the clock comes with the end as well, where that is asked for.
func TestAlignedDataOfTransaction(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("ClockAlignedDataInterval", "60", "StopTxnAlignedData", "Energy.Active.Import.Register", "MeterValueSampleInterval", "0")
		tx := b.charging(2, "TAG1")
		b.After(150 * time.Second)
		b.Swipe(2, "TAG1")
		got := samples(b, b.stops(2, tx, "Local")["transactionData"])
		if got["Energy.Active.Import.Register Sample.Clock"] == "" {
			b.Errorf("transactionData: %v", got)
		}
		b.status(2, "Finishing")
	})
}
