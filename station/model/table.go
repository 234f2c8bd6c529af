package model

// row says everything about one variable that does not depend on the board.
type row struct {
	id       ID
	name     string
	instance string
	mut      Mutability
	kind     DataType
	unit     string
	min, max Limit
	values   string // allowed values, comma separated
	def      string // value before anybody set one
	live     bool   // computed by its owner, never stored; def is shown while the owner has no value
	filled   bool   // a list that may not be empty
	nonColon bool   // an identifierString without colon, as it is the user name of basic authentication
	signed   bool   // only where a meter signs
	reader   string // who acts on the value; "report" where telling it is all that it is for
}

func (r *row) variable() Variable { return Variable{Name: r.name, Instance: r.instance} }

// tier says how often the rows of a group exist.
type tier uint8

const (
	tierStation tier = iota
	tierEVSE
	tierConnector
)

// group is a component with its rows.
type group struct {
	component string
	tier      tier
	socket    bool // only where the cable is not fixed
	light     bool // only where connectors have lights
	signed    bool // only at an EVSE whose meter signs
	rows      []row
}

// table is the whole device model, in the order of reports and of the IDs. Controllers of functions that the
// station does not have are absent: a variable Available that does not exist says the same as one that is false
// (part 2, "Referenced Components and Variables").
var table = [...]group{
	{component: "AlignedDataCtrlr", rows: alignedDataRows},
	{component: "AuthCacheCtrlr", rows: authCacheRows},
	{component: "AuthCtrlr", rows: authRows},
	{component: "ChargingStation", rows: stationRows},
	{component: "ChargingStatusIndicator", light: true, rows: lightRows},
	{component: "ClockCtrlr", rows: clockRows},
	{component: "DeviceDataCtrlr", rows: deviceDataRows},
	{component: "LocalAuthListCtrlr", rows: localListRows},
	{component: "OCPPCommCtrlr", rows: commRows},
	{component: "ReservationCtrlr", rows: reservationRows},
	{component: "SampledDataCtrlr", rows: sampledDataRows},
	{component: "SecurityCtrlr", rows: securityRows},
	{component: "SmartChargingCtrlr", rows: smartRows},
	{component: "TxCtrlr", rows: txRows},
	{component: "EVSE", tier: tierEVSE, rows: evseRows},
	{component: "FiscalMetering", tier: tierEVSE, signed: true, rows: fiscalRows},
	{component: "Connector", tier: tierConnector, rows: connectorRows},
	{component: "ConnectorPlugRetentionLock", tier: tierConnector, socket: true, rows: lockRows},
}
