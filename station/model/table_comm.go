package model

// maxBackOffDoublings keeps the doubled back-off below 2^16 times its start.
const maxBackOffDoublings = 16

// maxStatusDuration is a day, in seconds: a state that held for that long is told.
const maxStatusDuration = 24 * 3600

// maxPassword is the longest basic authentication password: 2.0.1 asks for 40 or more, and no more than 64
// (A00.FR.205 with errata 2025-09).
const maxPassword = 64

// minPassword is the shortest (A00.FR.205).
const minPassword = 16

// maxSigningWait is a day, in seconds: with its doublings a certificate that takes months to sign still arrives.
const maxSigningWait = 24 * 3600

// maxChainSize is what CertificateSigned can carry, in characters (part 2, 2.2.8).
const maxChainSize = 10_000

// How the station talks to its CSMS: OCPPCommCtrlr (part 2, 2.1; part 4, chapter 8), ClockCtrlr, DeviceDataCtrlr
// and SecurityCtrlr (part 2, 2.2).

var commRows = []row{
	{id: ActiveNetworkProfile, name: "ActiveNetworkProfile", mut: ReadOnly, kind: TypeInteger, live: true, reader: "report"},
	{id: CSMSQuirks, name: "CSMSQuirks", kind: TypeMemberList, values: "BootOnReconnect,ErrorCodes2x,FullURL,LegacyTLSCiphers,PlainAuthorizationKey,ReusedMessageIds,SilentSubprotocol,StatusOnReconnect,UUIDMessageIds,WholeSeconds", reader: "link: the table of quirks; core: reconnection"},
	{id: FileTransferProtocols, name: "FileTransferProtocols", mut: ReadOnly, kind: TypeMemberList, values: "FTP,FTPS,HTTP,HTTPS,SFTP", def: transfers, reader: "core: firmware, logs"},
	{id: HeartbeatInterval, name: "HeartbeatInterval", kind: TypeInteger, unit: "s", min: at(1), def: "3600", reader: "core: heartbeat"},
	{id: MessageAttemptIntervalTransactionEvent, name: "MessageAttemptInterval", instance: "TransactionEvent", kind: TypeInteger, unit: "s", min: at(0), def: "60", reader: "link: outbox"},
	{id: MessageAttemptsTransactionEvent, name: "MessageAttempts", instance: "TransactionEvent", kind: TypeInteger, min: at(1), def: "5", reader: "link: outbox"},
	{id: DefaultMessageTimeout, name: "MessageTimeout", instance: "Default", mut: ReadOnly, kind: TypeInteger, unit: "s", live: true, def: "30", reader: "report"},
	// MinimumStatusDuration is a variable of our own: how long a state holds before it is told (a key of 1.6).
	{id: MinimumStatusDuration, name: "MinimumStatusDuration", kind: TypeInteger, unit: "s", min: at(0), max: at(maxStatusDuration), def: "0", reader: "core: statuses"},
	{id: NetworkConfigurationPriority, name: "NetworkConfigurationPriority", kind: TypeSequenceList, filled: true, reader: "link: which profile"},
	{id: NetworkProfileConnectionAttempts, name: "NetworkProfileConnectionAttempts", kind: TypeInteger, min: at(1), def: "3", reader: "link: which profile"},
	// OfferedVersions is a variable of our own: what is offered over a WebSocket, best first, where a network profile lists
	// nothing itself. NetworkConfiguration.OcppVersion of 2.1 holds one version only, and is to be ignored.
	{id: OfferedVersions, name: "OfferedVersions", kind: TypeSequenceList, filled: true, values: "ocpp2.1,ocpp2.0.1,ocpp2.0,ocpp1.6", def: "ocpp2.1,ocpp2.0.1,ocpp2.0,ocpp1.6", reader: "link: the handshake"},
	{id: OfflineThreshold, name: "OfflineThreshold", kind: TypeInteger, unit: "s", min: at(0), def: "60", reader: "core: reconnection"},
	{id: PublicKeyWithSignedMeterValue, name: "PublicKeyWithSignedMeterValue", signed: true, kind: TypeOptionList, values: "Never,OncePerTransaction,EveryMeterValue", def: "OncePerTransaction", reader: "core: signed values"},
	{id: ResetRetries, name: "ResetRetries", kind: TypeInteger, min: at(0), def: "3", reader: "core: reset"},
	{id: RetryBackOffRandomRange, name: "RetryBackOffRandomRange", kind: TypeInteger, unit: "s", min: at(0), def: "10", reader: "link: back-off"},
	{id: RetryBackOffRepeatTimes, name: "RetryBackOffRepeatTimes", kind: TypeInteger, min: at(0), max: at(maxBackOffDoublings), def: "5", reader: "link: back-off"},
	{id: RetryBackOffWaitMinimum, name: "RetryBackOffWaitMinimum", kind: TypeInteger, unit: "s", min: at(1), def: "10", reader: "link: back-off"},
	{id: UnlockOnEVSideDisconnect, name: "UnlockOnEVSideDisconnect", kind: TypeBoolean, def: "true", reader: "core: unplugged at the EV"},
	{id: WebSocketPingInterval, name: "WebSocketPingInterval", kind: TypeInteger, unit: "s", min: at(0), def: "30", reader: "link: ping"},
}

var clockRows = []row{
	{id: DateTime, name: "DateTime", mut: ReadOnly, kind: TypeDateTime, live: true, reader: "report"},
	{id: TimeAdjustmentReportingThreshold, name: "TimeAdjustmentReportingThreshold", kind: TypeInteger, unit: "s", min: at(2), max: at(86400), def: "20", reader: "core: clock"},
	{id: TimeSource, name: "TimeSource", kind: TypeSequenceList, filled: true, reader: "core: clock"},
}

var deviceDataRows = []row{
	{id: BytesPerMessageGetReport, name: "BytesPerMessage", instance: "GetReport", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "65536", reader: "dialect: GetReport"},
	{id: BytesPerMessageGetVariables, name: "BytesPerMessage", instance: "GetVariables", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "65536", reader: "dialect: GetVariables"},
	{id: BytesPerMessageSetVariables, name: "BytesPerMessage", instance: "SetVariables", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "65536", reader: "dialect: SetVariables"},
	{id: ConfigurationValueSize, name: "ConfigurationValueSize", mut: ReadOnly, kind: TypeInteger, min: at(1), max: at(1000), def: "1000", reader: "Set"},
	{id: ItemsPerMessageGetReport, name: "ItemsPerMessage", instance: "GetReport", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "64", reader: "dialect: GetReport"},
	{id: ItemsPerMessageGetVariables, name: "ItemsPerMessage", instance: "GetVariables", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "64", reader: "dialect: GetVariables"},
	{id: ItemsPerMessageSetVariables, name: "ItemsPerMessage", instance: "SetVariables", mut: ReadOnly, kind: TypeInteger, min: at(1), def: "64", reader: "dialect: SetVariables"},
}

var securityRows = []row{
	{id: AdditionalRootCertificateCheck, name: "AdditionalRootCertificateCheck", mut: ReadOnly, kind: TypeBoolean, def: "false", reader: "core: certificates"},
	{id: AllowSecurityProfileDowngrade, name: "AllowSecurityProfileDowngrade", kind: TypeBoolean, def: "false", reader: "core: network profiles"},
	{id: BasicAuthPassword, name: "BasicAuthPassword", mut: WriteOnly, kind: TypePassword, max: at(maxPassword), reader: "link: basic authentication"},
	{id: CertSigningRepeatTimes, name: "CertSigningRepeatTimes", kind: TypeInteger, min: at(0), max: at(maxBackOffDoublings), def: "3", reader: "core: certificates"},
	{id: CertSigningWaitMinimum, name: "CertSigningWaitMinimum", kind: TypeInteger, unit: "s", min: at(1), max: at(maxSigningWait), def: "60", reader: "core: certificates"},
	{id: CertificateEntries, name: "CertificateEntries", mut: ReadOnly, kind: TypeInteger, live: true, def: "0", reader: "report"},
	{id: Identity, name: "Identity", mut: ReadOnly, kind: TypeString, max: at(48), nonColon: true, reader: "link: URL and user name"},
	{id: MaxCertificateChainSize, name: "MaxCertificateChainSize", mut: ReadOnly, kind: TypeInteger, min: at(1), max: at(maxChainSize), def: "10000", reader: "core: certificates"},
	{id: OrganizationName, name: "OrganizationName", kind: TypeString, max: at(64), reader: "certificate requests"},
	// PlainUpdateFirmware is a variable of our own: whether the UpdateFirmware of 1.x, which has no room for a signature, is
	// taken, so that the signature inside the image decides alone. Without it the station keeps to the security whitepaper
	// (L01.FR.20), and a CSMS that speaks SOAP cannot update it.
	{id: PlainUpdateFirmware, name: "PlainUpdateFirmware", mut: ReadOnly, kind: TypeBoolean, def: "true", reader: "core: firmware"},
	{id: SecurityProfile, name: "SecurityProfile", mut: ReadOnly, kind: TypeInteger, live: true, def: "0", reader: "report"},
}
