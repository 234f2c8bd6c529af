package dialect2

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/schedule"
)

// evening is a profile with everything in it that the core has a word for.
var evening = schedule.Profile{
	ID: 7, StackLevel: 2, Purpose: schedule.PurposeDefault, Kind: schedule.Recurring, Recurrency: schedule.Daily,
	ValidFrom: at, ValidTo: at.Add(24 * time.Hour),
	Schedules: []schedule.Schedule{{ID: 1, Start: at, Duration: 4 * time.Hour, Unit: schedule.Watts, MinRate: 1_380_000, Periods: []schedule.Period{
		{Limit: 11_000_000, Phases: 3}, {Start: time.Hour, Limit: 3_679_500, Phases: 1, PhaseToUse: 2}, {Start: 2 * time.Hour}}}},
}

// night has nothing that is not required.
var night = schedule.Profile{ID: -1, Purpose: schedule.PurposeTx, Kind: schedule.Relative, Transaction: "t-1",
	Schedules: []schedule.Schedule{{Unit: schedule.Amperes, Periods: []schedule.Period{{Limit: 6_000}}}}}

const eveningJSON = `{"id":7,"stackLevel":2,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Recurring","recurrencyKind":"Daily",` +
	`"validFrom":"2026-11-22T08:01:35.12+01:00","validTo":"2026-11-23T07:01:35.12Z","chargingSchedule":[{"id":1,"startSchedule":"2026-11-22T07:01:35.12Z",` +
	`"duration":14400,"chargingRateUnit":"W","minChargingRate":1380,"chargingSchedulePeriod":[{"startPeriod":0,"limit":11000,"numberPhases":3},` +
	`{"startPeriod":3600,"limit":3679.5009,"numberPhases":1,"phaseToUse":2},{"startPeriod":7200,"limit":0}]}]}`

func askProfile(v rpc.Version, profile string) (station.Request, error) {
	return New(v).Request("SetChargingProfile", `{"evseId":1,"chargingProfile":`+profile+`}`, ocpp.NewTable(), nil)
}

func TestSetChargingProfile(t *testing.T) {
	for _, v := range versions {
		got, err := askProfile(v, eveningJSON)
		if err != nil {
			t.Fatal(err)
		}
		r := got.(station.SetChargingProfile)
		if !r.Profile.ValidFrom.Equal(evening.ValidFrom) {
			t.Errorf("%v: valid from %v", v, r.Profile.ValidFrom)
		}
		r.Profile.ValidFrom = evening.ValidFrom // in another zone
		if want := (station.SetChargingProfile{EVSE: 1, Profile: evening}); !reflect.DeepEqual(r, want) {
			t.Errorf("%v: got %+v\nwant %+v", v, r, want)
		}
	}
}

// wished is a profile of OCPP 2.1 with members of its own in the profile, the schedule and the period.
func wished(profile, schedule, period string) string {
	return fmt.Sprintf(`{"id":1,"stackLevel":0,"chargingProfilePurpose":"TxDefaultProfile","chargingProfileKind":"Relative"%s,"chargingSchedule":[`+
		`{"id":1,"chargingRateUnit":"A"%s,"chargingSchedulePeriod":[{"startPeriod":0%s}]}]}`, profile, schedule, period)
}

// covers: K01.FR.122 K01.FR.123 K01.FR.124 K01.FR.125 K01.FR.126
func TestProfileBeyondTheCore(t *testing.T) {
	const limit = `,"limit":6`
	for _, tt := range []struct{ profile, schedule, period, want string }{
		{"", "", limit, ""},
		{`,"invalidAfterOfflineDuration":false`, `,"useLocalTime":false,"randomizedDelay":0`, limit + `,"evseSleep":false,"operationMode":"ChargingOnly"`, ""},
		{`,"maxOfflineDuration":60`, "", limit, "maxOfflineDuration"},
		{`,"invalidAfterOfflineDuration":true`, "", limit, "invalidAfterOfflineDuration"},
		{`,"dynUpdateInterval":60`, "", limit, "dynUpdateInterval"},
		{`,"dynUpdateTime":"2026-11-22T07:01:35Z"`, "", limit, "dynUpdateTime"},
		{`,"priceScheduleSignature":"x"`, "", limit, "priceScheduleSignature"},
		{"", `,"limitAtSoC":{"soc":80,"limit":6}`, limit, "limitAtSoC"},
		{"", `,"useLocalTime":true`, limit, "useLocalTime"},
		{"", `,"randomizedDelay":30`, limit, "randomizedDelay"},
		{"", `,"powerTolerance":3`, limit, "powerTolerance"},
		{"", `,"signatureId":1`, limit, "signatureId"},
		{"", `,"digestValue":"x"`, limit, "digestValue"},
		{"", `,"salesTariff":{"id":1,"salesTariffEntry":[{"relativeTimeInterval":{"start":0}}]}`, limit, "salesTariff"},
		{"", "", limit + `,"evseSleep":true`, "evseSleep"},
		{"", "", limit + `,"operationMode":"Idle"`, "operationMode Idle"},
		{"", "", limit + `,"limit_L2":6`, "limit_L2 or limit_L3"},
		{"", "", limit + `,"dischargeLimit":-6`, "dischargeLimit"},
		{"", "", `,"setpoint":6`, "setpoint"},
		{"", "", limit + `,"preconditioningRequest":true`, "preconditioningRequest"},
		{"", "", limit + `,"v2xBaseline":1`, "v2x"},
		{"", "", "", "a period without limit"},
	} {
		got, err := askProfile(rpc.V21, wished(tt.profile, tt.schedule, tt.period))
		if err != nil {
			t.Errorf("%q: %v", tt.want, err)
			continue
		}
		if b := got.(station.SetChargingProfile).Beyond; b != tt.want {
			t.Errorf("beyond %q, want %q", b, tt.want)
		}
	}
}

func TestProfileThatNoStationTakes(t *testing.T) {
	for _, tt := range []struct {
		profile string
		code    rpc.ErrorCode
		says    string
	}{
		{wished("", `,"duration":0`, `,"limit":6`), rpc.PropertyConstraintViolation, "duration"},
		{wished("", "", `,"limit":1e18`), rpc.PropertyConstraintViolation, "limit"},
		{wished("", `,"minChargingRate":1e18`, `,"limit":6`), rpc.PropertyConstraintViolation, "minChargingRate"},
		{strings.Replace(eveningJSON, `"W"`, `"kW"`, 1), rpc.PropertyConstraintViolation, "chargingRateUnit"},
	} {
		_, err := askProfile(rpc.V201, tt.profile)
		var refused *ocpp.RequestError
		if !errors.As(err, &refused) || refused.Code != tt.code || !strings.Contains(refused.Description, tt.says) {
			t.Errorf("%s: %v", tt.says, err)
		}
	}
}

func TestChargingProfileQuestions(t *testing.T) {
	for _, tt := range []struct {
		action, payload string
		want            station.Request
	}{
		{"ClearChargingProfile", `{"chargingProfileId":7,"chargingProfileCriteria":{"evseId":1}}`,
			station.ClearChargingProfile{Filter: station.ProfileFilter{IDs: []int{7}}}},
		{"ClearChargingProfile", `{"chargingProfileCriteria":{"evseId":0,"chargingProfilePurpose":"TxProfile","stackLevel":0}}`,
			station.ClearChargingProfile{Filter: station.ProfileFilter{HasEVSE: true, Purpose: schedule.PurposeTx, HasStack: true}}},
		{"ClearChargingProfile", `{}`, station.ClearChargingProfile{}},
		{"GetChargingProfiles", `{"requestId":3,"evseId":2,"chargingProfile":{"chargingProfileId":[1,2],"chargingLimitSource":["CSO","EMS"]}}`,
			station.GetChargingProfiles{RequestID: 3, Filter: station.ProfileFilter{IDs: []int{1, 2}, HasEVSE: true, EVSE: 2}, Sources: []string{"CSO", "EMS"}}},
		{"GetChargingProfiles", `{"requestId":3,"chargingProfile":{"chargingProfilePurpose":"ChargingStationMaxProfile","stackLevel":4}}`,
			station.GetChargingProfiles{RequestID: 3, Filter: station.ProfileFilter{Purpose: schedule.PurposeStation, HasStack: true, Stack: 4}}},
		{"GetCompositeSchedule", `{"duration":300,"evseId":0}`, station.GetCompositeSchedule{Duration: 5 * time.Minute}},
		{"GetCompositeSchedule", `{"duration":0,"evseId":2,"chargingRateUnit":"W"}`, station.GetCompositeSchedule{EVSE: 2, Unit: schedule.Watts}},
	} {
		for _, v := range versions {
			got, err := New(v).Request(tt.action, tt.payload, ocpp.NewTable(), nil)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%v %s: got %+v, %v", v, tt.payload, got, err)
			}
		}
	}
	if _, err := New(rpc.V21).Request("GetCompositeSchedule", `{"duration":-1,"evseId":0}`, ocpp.NewTable(), nil); err == nil {
		t.Error("a schedule of the past")
	}
}
