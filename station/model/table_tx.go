package model

// txPoints are the events that may begin or end a transaction (part 2, 2.6.6). DataSigned is missing: a meter
// signs a transaction that it has been told, so none can wait for a signature to begin. ParkingBayOccupancy is offered where
// there is a bay sensor.
const (
	txPoints         = "EVConnected,Authorized,PowerPathClosed,EnergyTransfer"
	txPointsWithBays = "ParkingBayOccupancy," + txPoints
)

// What a transaction is: TxCtrlr (part 2, 2.6).
var txRows = []row{
	{id: EVConnectionTimeOut, name: "EVConnectionTimeOut", kind: TypeInteger, unit: "s", min: at(1), def: "120", reader: "core: transaction start"},
	{id: MaxEnergyOnInvalidId, name: "MaxEnergyOnInvalidId", kind: TypeInteger, unit: "Wh", min: at(0), def: "0", reader: "transaction"},
	// ResumptionTimeout is a variable of 2.1; 0 means that no transaction is resumed after a power cut.
	{id: ResumptionTimeout, name: "ResumptionTimeout", kind: TypeInteger, unit: "s", min: at(0), def: "900", reader: "core: boot"},
	{id: StopTxOnEVSideDisconnect, name: "StopTxOnEVSideDisconnect", kind: TypeBoolean, def: "true", reader: "transaction"},
	{id: StopTxOnInvalidId, name: "StopTxOnInvalidId", kind: TypeBoolean, def: "true", reader: "transaction"},
	{id: TxBeforeAcceptedEnabled, name: "TxBeforeAcceptedEnabled", kind: TypeBoolean, def: "false", reader: "core: registration"},
	{id: TxStartPoint, name: "TxStartPoint", kind: TypeMemberList, values: txPoints, def: "PowerPathClosed", filled: true, reader: "transaction"},
	{id: TxStopPoint, name: "TxStopPoint", kind: TypeMemberList, values: txPoints, def: "PowerPathClosed", filled: true, reader: "transaction"},
}
