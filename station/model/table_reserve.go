package model

// Reservations: ReservationCtrlr (part 2, 2.10).
var reservationRows = []row{
	{id: ReservationAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "core: reservations"},
	{id: ReservationEnabled, name: "Enabled", kind: TypeBoolean, def: "true", reader: "core: reservations"},
	{id: ReservationNonEvseSpecific, name: "NonEvseSpecific", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "core: reservations"},
}
