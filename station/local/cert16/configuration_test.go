package cert16_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station/local/cases"
)

// required are the keys that a charge point has which claims these profiles (1.6, chapter 9): name and whether it may be
// written ("": the wiring is the fitter's). LightIntensity, BlinkRepeat, MaxEnergyOnInvalidId and the like are optional.
var required = map[string]string{
	"AuthorizeRemoteTxRequests": "", "ClockAlignedDataInterval": "w", "ConnectionTimeOut": "w", "ConnectorPhaseRotation": "",
	"GetConfigurationMaxKeys": "r", "HeartbeatInterval": "w", "LocalAuthorizeOffline": "w", "LocalPreAuthorize": "w",
	"MeterValuesAlignedData": "w", "MeterValuesSampledData": "w", "MeterValueSampleInterval": "w", "NumberOfConnectors": "r",
	"ResetRetries": "w", "StopTransactionOnEVSideDisconnect": "w", "StopTransactionOnInvalidId": "w", "StopTxnAlignedData": "w",
	"StopTxnSampledData": "w", "SupportedFeatureProfiles": "r", "TransactionMessageAttempts": "w",
	"TransactionMessageRetryInterval": "w", "UnlockConnectorOnEVSideDisconnect": "w",
	"LocalAuthListEnabled": "w", "LocalAuthListMaxLength": "r", "SendLocalListMaxLength": "r",
	"ChargeProfileMaxStackLevel": "r", "ChargingScheduleAllowedChargingRateUnit": "r", "ChargingScheduleMaxPeriods": "r",
	"MaxChargingProfilesInstalled": "r",
}

// covers: TC_019_1_CS
func TestRetrieveAllConfigurationKeys(t *testing.T) {
	ready(t, func(b *bench) {
		got := map[string]string{}
		body := b.Call("GetConfiguration", nil)
		for _, k := range body["configurationKey"].([]any) {
			name := cases.Member(k, "key").(string)
			if got[name] != "" {
				b.Errorf("%s is listed twice", name)
			}
			got[name] = map[any]string{true: "r", false: "w"}[cases.Member(k, "readonly")]
		}
		for name, may := range required {
			if got[name] == "" || may != "" && got[name] != may {
				b.Errorf("key %s: %q, want %q", name, got[name], may)
			}
		}
		if body["unknownKey"] != nil {
			b.Errorf("unknownKey %v", body["unknownKey"])
		}
		if got["AuthorizationKey"] != "" {
			if v := b.key("AuthorizationKey"); v != "" {
				b.Errorf("AuthorizationKey is told: %q", v)
			}
		}
	})
}

// covers: TC_019_2_CS
func TestRetrieveSomeConfigurationKeys(t *testing.T) {
	ready(t, func(b *bench) {
		body := b.Call("GetConfiguration", obj{"key": []string{"SupportedFeatureProfiles", "NumberOfConnectors", "NoSuchKey"}})
		if why := cases.Differs(body, obj{"configurationKey.0.key": "SupportedFeatureProfiles", "configurationKey.0.readonly": true,
			"configurationKey.1.key": "NumberOfConnectors", "configurationKey.1.value": "2", "configurationKey.2": nil,
			"unknownKey.0": "NoSuchKey", "unknownKey.1": nil}); why != "" {
			b.Errorf("%s in %v", why, body)
		}
		profiles := strings.Split(b.key("SupportedFeatureProfiles"), ",")
		if !slices.Contains(profiles, "Core") {
			b.Errorf("profiles %v", profiles)
		}
	})
}

// covers: TC_021_CS
func TestChangeConfiguration(t *testing.T) {
	ready(t, func(b *bench) {
		for key, value := range map[string]string{"MeterValueSampleInterval": "17", "ConnectionTimeOut": "61", "LocalPreAuthorize": "true",
			"MeterValuesSampledData": "Energy.Active.Import.Register,Voltage", "ClockAlignedDataInterval": "900", "StopTransactionOnInvalidId": "false"} {
			b.configure(key, value)
			if got := b.key(key); got != value {
				b.Errorf("%s is %q, want %q", key, got, value)
			}
		}
		// It is in force: the meter is sampled every 17 s, and the driver has 61 s for the cable.
		b.charging(1, "TAG1")
		first := b.WantWithin(cases.Patience, "MeterValues", nil).At
		if d := b.WantWithin(cases.Patience, "MeterValues", nil).At.Sub(first).Round(time.Second); d != 17*time.Second {
			b.Errorf("samples are %v apart, want 17 s", d)
		}
		// And kept.
		b.Post("power", obj{"cycle": true, "offMs": 5000})
		b.boots()
		b.status(0, "Available")
		if got := b.key("ConnectionTimeOut"); got != "61" {
			b.Errorf("after a power cut ConnectionTimeOut is %q", got)
		}
		b.None(0, "BootNotification", nil)
		b.Skip()
	})
}

// covers: TC_040_1_CS
func TestUnknownConfigurationKey(t *testing.T) {
	ready(t, func(b *bench) {
		b.Answers("NotSupported", "ChangeConfiguration", obj{"key": "NoSuchKey", "value": "1"})
	})
}

// covers: TC_040_2_CS
func TestInvalidConfigurationValue(t *testing.T) {
	ready(t, func(b *bench) {
		for key, value := range map[string]string{"MeterValueSampleInterval": "-1", "ConnectionTimeOut": "soon", "LocalPreAuthorize": "perhaps",
			"MeterValuesSampledData": "Energy.Active.Import.Register,Noise", "NumberOfConnectors": "3", "HeartbeatInterval": ""} {
			old := b.key(key)
			b.Answers("Rejected", "ChangeConfiguration", obj{"key": key, "value": value})
			if got := b.key(key); got != old {
				b.Errorf("%s is %q, was %q", key, got, old)
			}
		}
	})
}
