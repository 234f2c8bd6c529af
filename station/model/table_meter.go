package model

// secondsPerDay bounds clock-aligned intervals: they are counted from midnight (part 2, 2.7.12).
const secondsPerDay = 86400

// The defaults of the measurand lists; New cuts them to what the meters can give.
const (
	register         = "Energy.Active.Import.Register"
	registerAndPower = register + ",Power.Active.Import"
)

// What is measured and when: AlignedDataCtrlr and SampledDataCtrlr (part 2, 2.7). The allowed values of the
// measurand lists come from the board.

var alignedDataRows = []row{
	{id: AlignedDataAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	{id: AlignedDataEnabled, name: "Enabled", kind: TypeBoolean, def: "true", reader: "sampling"},
	{id: AlignedDataInterval, name: "Interval", kind: TypeInteger, unit: "s", min: at(0), max: at(secondsPerDay), def: "0", reader: "sampling"},
	{id: AlignedDataMeasurands, name: "Measurands", kind: TypeMemberList, def: register, reader: "sampling"},
	{id: AlignedDataSendDuringIdle, name: "SendDuringIdle", kind: TypeBoolean, def: "false", reader: "sampling"},
	{id: AlignedDataSignReadings, name: "SignReadings", signed: true, kind: TypeBoolean, def: "false", reader: "core: signed values"},
	{id: AlignedDataSignUpdatedReadings, name: "SignUpdatedReadings", signed: true, kind: TypeBoolean, def: "false", reader: "core: signed values"},
	{id: AlignedDataTxEndedInterval, name: "TxEndedInterval", kind: TypeInteger, unit: "s", min: at(0), max: at(secondsPerDay), def: "0", reader: "sampling"},
	{id: AlignedDataTxEndedMeasurands, name: "TxEndedMeasurands", kind: TypeMemberList, reader: "sampling"},
}

var sampledDataRows = []row{
	{id: SampledDataAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	{id: SampledDataEnabled, name: "Enabled", kind: TypeBoolean, def: "true", reader: "sampling"},
	{id: SampledDataRegisterValuesWithoutPhases, name: "RegisterValuesWithoutPhases", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "sampling"},
	{id: SampledDataSignReadings, name: "SignReadings", signed: true, kind: TypeBoolean, def: "true", reader: "core: signed values"},
	{id: SampledDataSignStartedReadings, name: "SignStartedReadings", signed: true, kind: TypeBoolean, def: "false", reader: "core: signed values"},
	{id: SampledDataSignUpdatedReadings, name: "SignUpdatedReadings", signed: true, kind: TypeBoolean, def: "false", reader: "core: signed values"},
	{id: SampledDataTxEndedInterval, name: "TxEndedInterval", kind: TypeInteger, unit: "s", min: at(0), def: "0", reader: "sampling"},
	{id: SampledDataTxEndedMeasurands, name: "TxEndedMeasurands", kind: TypeMemberList, def: register, reader: "sampling"},
	{id: SampledDataTxStartedMeasurands, name: "TxStartedMeasurands", kind: TypeMemberList, def: register, reader: "sampling"},
	{id: SampledDataTxUpdatedInterval, name: "TxUpdatedInterval", kind: TypeInteger, unit: "s", min: at(0), def: "60", reader: "sampling"},
	{id: SampledDataTxUpdatedMeasurands, name: "TxUpdatedMeasurands", kind: TypeMemberList, def: registerAndPower, reader: "sampling"},
}

// What a meter that bills tells of itself (signed meter values 1.0, 4.3.2).
var fiscalRows = []row{
	{id: FiscalMeteringPublicKey, name: "PublicKey", mut: ReadOnly, kind: TypeString, live: true, reader: "report"},
}

// partIDs are the rows about a transaction that still runs: only for a meter that signs it as far as it goes.
var partIDs = [...]ID{AlignedDataSignUpdatedReadings, SampledDataSignStartedReadings, SampledDataSignUpdatedReadings}

// measurandIDs are the rows whose allowed values are the measurands of the meters.
var measurandIDs = [...]ID{
	AlignedDataMeasurands, AlignedDataTxEndedMeasurands,
	SampledDataTxEndedMeasurands, SampledDataTxStartedMeasurands, SampledDataTxUpdatedMeasurands,
}
