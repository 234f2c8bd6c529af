// Package reserve keeps who has reserved what, and says which EVSEs must be held back for it (OCPP block H). Pure: the
// station tells what each EVSE is good for, the Planner says which reservations can be kept and which EVSEs nobody else
// may take.
//
// A reservation names one EVSE, or any, or any with a connector of a type. Each is promised an EVSE of its own, so there
// are never more reservations than EVSEs. An EVSE is held back once the promises could not be kept without it: with as
// many reservations as EVSEs that can serve them, all are (H01.FR.20, H01.FR.24); with one EVSE more, none is, and the
// first stranger may choose.
package reserve
