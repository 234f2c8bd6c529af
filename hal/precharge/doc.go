// Package precharge is the pure sequence by which a DC output becomes live and dead again: insulation test,
// pre-charge, contactors, ramp, and the way back. It knows the time only by the now that it is given.
//
//	m := precharge.New(cfg)
//	m.Step(now, &in, &out)
package precharge
