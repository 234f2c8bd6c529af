package model

// Charging profiles: SmartChargingCtrlr (part 2, 2.9). What is not there is not offered: switching of phases, external
// control signals, and the fields and purposes that 2.1 added (variables Supports... and SupportedAdditionalPurposes).
var smartRows = []row{
	{id: SmartChargingAvailable, name: "Available", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	// ChargingProfilePersistence is a variable of 2.1; the purposes TxDefaultProfile and ChargingStationMaxProfile are always
	// kept (K01.FR.27), of the others it tells which (K01.FR.55).
	{id: ChargingProfilePersistenceTx, name: "ChargingProfilePersistence", instance: "TxProfile", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "report"},
	{id: SmartChargingEnabled, name: "Enabled", kind: TypeBoolean, def: "true", reader: "core: profiles"},
	{id: ChargingProfileEntries, name: "Entries", instance: "ChargingProfiles", mut: ReadOnly, kind: TypeInteger, max: at(ChargingProfilesMax), live: true, def: "0", reader: "report"},
	{id: LimitChangeSignificance, name: "LimitChangeSignificance", kind: TypeDecimal, unit: "Percent", min: at(0), max: at(100), def: "1", reader: "core: TransactionEvent"},
	{id: PeriodsPerSchedule, name: "PeriodsPerSchedule", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "288", reader: "schedule"},
	{id: ProfileStackLevel, name: "ProfileStackLevel", mut: ReadOnly, kind: TypeInteger, min: at(0), def: "15", reader: "schedule"},
	{id: RateUnit, name: "RateUnit", mut: ReadOnly, kind: TypeMemberList, values: "A,W", def: "A,W", filled: true, reader: "core: profiles"},
}

// ChargingProfilesMax is how many charging profiles may be installed at a time.
const ChargingProfilesMax = 64
