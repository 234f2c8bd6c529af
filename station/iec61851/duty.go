package iec61851

import "github.com/evsed/evsed/hal/unit"

// MinimumOffer is the least current that a duty cycle can offer (IEC 61851-1 Annex A).
const MinimumOffer = 6 * unit.Ampere

// MaximumOffer is the greatest current that a duty cycle can offer (IEC 61851-1 Annex A).
const MaximumOffer = 80 * unit.Ampere

// The duty-to-current relation has two slopes: 0.6 A per percent up to 85 %, and 2.5 A per percent above an
// offset of 64 % up to 96 % (IEC 61851-1 Annex A). In mA per 0.01 % these are whole numbers.
const (
	slopeLow   = 6  // mA per 0.01 %
	slopeHigh  = 25 // mA per 0.01 %
	offsetHigh = 64 * unit.DutyPercent

	dutyDigitalMin = 3 * unit.DutyPercent
	dutyDigitalMax = 7 * unit.DutyPercent
	dutyMin        = 8 * unit.DutyPercent
	dutyLinearMin  = 10 * unit.DutyPercent
	dutyKnee       = 85 * unit.DutyPercent
	dutyTop        = 96 * unit.DutyPercent
	dutyMax        = 97 * unit.DutyPercent

	currentKnee     = unit.Current(dutyKnee) * slopeLow                               // 51 A
	currentHighFrom = unit.Current(dutyKnee+1-offsetHigh) * slopeHigh                 // 52.525 A: the least that the upper slope can say
	_               = uint(unit.Current(dutyTop-offsetHigh)*slopeHigh - MaximumOffer) // both ends of the table agree
)

// DutyMeaning says what a vehicle has to make of a duty cycle.
type DutyMeaning uint8

// Meanings of a duty cycle (IEC 61851-1 Annex A).
const (
	DutyForbidden DutyMeaning = iota // charging is not allowed: no PWM, below 3 %, between 7 % and 8 %, above 97 %
	DutyDigital                      // 3 % to 7 %: current comes by digital communication (ISO 15118)
	DutyAnalog                       // the duty cycle itself tells the current
)

// DutyForCurrent returns the pilot duty that offers limit to the vehicle, rounded so that the vehicle never reads
// more than limit. Below 6 A the result is unit.DutyHigh (no PWM); above 80 A it offers 80 A. A limit in the small
// gap between the two slopes (51 A to 52.525 A) offers 51 A. The result is never in the range of digital
// communication. Source: IEC 61851-1 Annex A.
func DutyForCurrent(limit unit.Current) unit.Duty {
	switch {
	case limit < MinimumOffer:
		return unit.DutyHigh
	case limit >= MaximumOffer:
		return dutyTop
	case limit >= currentHighFrom:
		return offsetHigh + unit.Duty(limit/slopeHigh)
	case limit >= currentKnee:
		return dutyKnee
	}
	return unit.Duty(limit / slopeLow)
}

// CurrentForDuty returns the current per phase that a vehicle may draw at duty d, and what the duty means.
// The current is 0 unless the meaning is DutyAnalog. Source: IEC 61851-1 Annex A.
func CurrentForDuty(d unit.Duty) (unit.Current, DutyMeaning) {
	switch {
	case d >= dutyDigitalMin && d <= dutyDigitalMax:
		return 0, DutyDigital
	case d < dutyMin || d > dutyMax:
		return 0, DutyForbidden
	case d < dutyLinearMin:
		return MinimumOffer, DutyAnalog
	case d <= dutyKnee:
		return unit.Current(d) * slopeLow, DutyAnalog
	case d <= dutyTop:
		return unit.Current(d-offsetHigh) * slopeHigh, DutyAnalog
	}
	return MaximumOffer, DutyAnalog
}
