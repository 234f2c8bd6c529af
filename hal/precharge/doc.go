// Package precharge is the pure sequence by which the DC output of a charger becomes live and dead again. It knows the
// time only by the now that it is given, allocates nothing, and says what source, contactors, insulation monitor and
// discharge resistor shall do as levels.
//
//	idle --want--> closing (dead on dead) --> testing (insulation, at voltage) --> lowering --> checked
//	checked --want--> pre-charging (to the vehicle's voltage) --> pre-charged --want--> delivering (ramp)
//	delivering --want nothing--> stopping (current to zero) --> opening (plus, then minus: each pole is checked) --> discharging --> idle
//	any --emergency, vehicle gone, contact, insulation, silence--> failed: both poles open and source off at once
//
// The contactors close while both sides are dead and stay closed through the insulation test, which has to reach the
// cable (IEC 61851-23, sequence of system C): what pre-charge protects is the vehicle's own contactor, which closes
// when the output has its voltage.
//
// This is no protection. An emergency stop and an over-voltage at the output have to open the contactors within
// milliseconds, which is the business of hardware or of a safety controller (docs/safety-split.md): this code hears of
// them, follows, and does not close again.
package precharge
