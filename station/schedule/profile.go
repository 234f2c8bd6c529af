package schedule

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// Purpose says what a profile limits (OCPP ChargingProfilePurposeEnumType).
type Purpose string

// Purposes.
const (
	PurposeExternal Purpose = "ChargingStationExternalConstraints"
	PurposeStation  Purpose = "ChargingStationMaxProfile"
	PurposeDefault  Purpose = "TxDefaultProfile"
	PurposeTx       Purpose = "TxProfile"
)

// Kind says what the times of a profile count from (OCPP ChargingProfileKindEnumType).
type Kind string

// Kinds.
const (
	Absolute  Kind = "Absolute"
	Recurring Kind = "Recurring"
	Relative  Kind = "Relative"
)

// Recurrency is how often a Recurring profile begins anew (OCPP RecurrencyKindEnumType).
type Recurrency string

// Recurrencies.
const (
	Daily  Recurrency = "Daily"
	Weekly Recurrency = "Weekly"
)

// Unit is what the limits of a schedule are in (OCPP ChargingRateUnitEnumType).
type Unit string

// Units. A limit in Amperes is per phase, one in Watts is the sum of the phases in use.
const (
	Amperes Unit = "A"
	Watts   Unit = "W"
)

// Profile is a charging profile.
type Profile struct {
	ID          int
	StackLevel  int
	Purpose     Purpose
	Kind        Kind
	Recurrency  Recurrency         // "" unless Recurring
	ValidFrom   time.Time          // zero: always
	ValidTo     time.Time          // zero: for ever
	Transaction term.TransactionID // of a TxProfile; "" where none is named
	Schedules   []Schedule         // 1 to 3
}

// Schedule is a charging schedule.
type Schedule struct {
	ID       int
	Start    time.Time     // zero: not given
	Duration time.Duration // 0: not given
	Unit     Unit
	MinRate  int64 // thousandths of the unit; 0: not given
	Periods  []Period
}

// Period is a charging schedule period. It lasts until the next one begins.
type Period struct {
	Start      time.Duration // from the start of the schedule, whole seconds
	Limit      int64         // thousandths of the unit: mA or mW
	Phases     int8          // 0: not given
	PhaseToUse int8          // 0: not given
}
