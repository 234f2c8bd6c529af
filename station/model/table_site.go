package model

// The three tiers: ChargingStation, EVSE and Connector (part 2, 2.13). Problem is optional; with it the criterion
// of B08.FR.10 and the summary of B07.FR.09 have something to say.

const availabilityStates = "Available,Occupied,Reserved,Unavailable,Faulted"

var stationRows = []row{
	{id: AllowNewSessionsPendingFirmwareUpdate, name: "AllowNewSessionsPendingFirmwareUpdate", kind: TypeBoolean, def: "false", reader: "core: firmware"},
	{id: StationAvailabilityState, name: "AvailabilityState", mut: ReadOnly, kind: TypeOptionList, values: availabilityStates, live: true, def: "Unavailable", reader: "report"},
	{id: StationAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	{id: StationModel, name: "Model", mut: ReadOnly, kind: TypeString, max: at(20), reader: "core: BootNotification"},
	{id: StationProblem, name: "Problem", mut: ReadOnly, kind: TypeBoolean, live: true, def: "false", reader: "report"},
	{id: StationSupplyPhases, name: "SupplyPhases", mut: ReadOnly, kind: TypeInteger, min: at(0), max: at(3), reader: "report"},
	{id: StationVendorName, name: "VendorName", mut: ReadOnly, kind: TypeString, max: at(50), reader: "core: BootNotification"},
}

var evseRows = []row{
	{id: EVSEAllowReset, name: "AllowReset", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "core: reset"},
	{id: EVSEAvailabilityState, name: "AvailabilityState", mut: ReadOnly, kind: TypeOptionList, values: availabilityStates, live: true, def: "Unavailable", reader: "report"},
	{id: EVSEAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	{id: EVSEEvseId, name: "EvseId", mut: ReadOnly, kind: TypeString, max: at(38), reader: "report"},
	{id: EVSEPower, name: "Power", mut: ReadOnly, kind: TypeDecimal, unit: "W", live: true, def: "0", reader: "report"},
	{id: EVSEProblem, name: "Problem", mut: ReadOnly, kind: TypeBoolean, live: true, def: "false", reader: "report"},
	{id: EVSESupplyPhases, name: "SupplyPhases", mut: ReadOnly, kind: TypeInteger, min: at(0), max: at(3), reader: "report"},
}

var connectorRows = []row{
	{id: ConnectorAvailabilityState, name: "AvailabilityState", mut: ReadOnly, kind: TypeOptionList, values: availabilityStates, live: true, def: "Unavailable", reader: "report"},
	{id: ConnectorAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	// PhaseRotation is how the connector is wired to its meter: R, S and T in the order of its lines. It is the fitter's to
	// know; "" says that it is not known, or not applicable.
	{id: ConnectorPhaseRotation, name: "PhaseRotation", mut: ReadOnly, kind: TypeString, max: at(3), reader: "report"},
	{id: ConnectorProblem, name: "Problem", mut: ReadOnly, kind: TypeBoolean, live: true, def: "false", reader: "report"},
	{id: ConnectorSupplyPhases, name: "SupplyPhases", mut: ReadOnly, kind: TypeInteger, min: at(0), max: at(3), reader: "report"},
	{id: ConnectorType, name: "ConnectorType", mut: ReadOnly, kind: TypeString, max: at(20), reader: "report"},
}

// The lock of a socket (G05).
var lockRows = []row{
	{id: LockProblem, name: "Problem", mut: ReadOnly, kind: TypeBoolean, live: true, def: "false", reader: "report"},
}
