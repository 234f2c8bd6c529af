package model

import "strconv"

// ID is the handle of a row of the table; code reads values by it. IDs are never stored: a change is kept under
// its names, so rows may be added anywhere.
type ID uint16

// The rows of the station tier, in the order of reports: by component, then by variable.
const (
	AlignedDataAvailable ID = iota
	AlignedDataEnabled
	AlignedDataInterval
	AlignedDataMeasurands
	AlignedDataSendDuringIdle
	AlignedDataSignReadings
	AlignedDataSignUpdatedReadings
	AlignedDataTxEndedInterval
	AlignedDataTxEndedMeasurands

	AuthCacheAvailable
	AuthCacheDisablePostAuthorize
	AuthCacheEnabled
	AuthCacheLifeTime
	AuthCachePolicy
	AuthCacheStorage

	AuthorizeRemoteStart
	DisableRemoteAuthorization
	AuthEnabled
	LocalAuthorizeOffline
	LocalPreAuthorize
	MasterPassGroupId
	OfflineTxForUnknownIdEnabled

	AllowNewSessionsPendingFirmwareUpdate
	StationAvailabilityState
	StationAvailable
	StationModel
	StationProblem
	StationSupplyPhases
	StationVendorName

	BlinkRepeat
	LightPercent

	DateTime
	TimeAdjustmentReportingThreshold
	TimeSource

	BytesPerMessageGetReport
	BytesPerMessageGetVariables
	BytesPerMessageSetVariables
	ConfigurationValueSize
	ItemsPerMessageGetReport
	ItemsPerMessageGetVariables
	ItemsPerMessageSetVariables

	LocalAuthListAvailable
	BytesPerMessageSendLocalList
	LocalAuthListDisablePostAuthorize
	LocalAuthListEnabled
	LocalAuthListEntries
	ItemsPerMessageSendLocalList
	LocalAuthListStorage
	LocalAuthListSupportsExpiryDateTime

	ActiveNetworkProfile
	CSMSQuirks
	FileTransferProtocols
	HeartbeatInterval
	MessageAttemptIntervalTransactionEvent
	MessageAttemptsTransactionEvent
	DefaultMessageTimeout
	MinimumStatusDuration
	NetworkConfigurationPriority
	NetworkProfileConnectionAttempts
	OfferedVersions
	OfflineThreshold
	PublicKeyWithSignedMeterValue
	ResetRetries
	RetryBackOffRandomRange
	RetryBackOffRepeatTimes
	RetryBackOffWaitMinimum
	UnlockOnEVSideDisconnect
	WebSocketPingInterval

	ReservationAvailable
	ReservationEnabled
	ReservationNonEvseSpecific

	SampledDataAvailable
	SampledDataEnabled
	SampledDataRegisterValuesWithoutPhases
	SampledDataSignReadings
	SampledDataSignStartedReadings
	SampledDataSignUpdatedReadings
	SampledDataTxEndedInterval
	SampledDataTxEndedMeasurands
	SampledDataTxStartedMeasurands
	SampledDataTxUpdatedInterval
	SampledDataTxUpdatedMeasurands

	AdditionalRootCertificateCheck
	AllowSecurityProfileDowngrade
	BasicAuthPassword
	CertSigningRepeatTimes
	CertSigningWaitMinimum
	CertificateEntries
	Identity
	MaxCertificateChainSize
	OrganizationName
	PlainUpdateFirmware
	SecurityProfile

	SmartChargingAvailable
	ChargingProfilePersistenceTx
	SmartChargingEnabled
	ChargingProfileEntries
	LimitChangeSignificance
	PeriodsPerSchedule
	ProfileStackLevel
	RateUnit

	EVConnectionTimeOut
	MaxEnergyOnInvalidId
	ResumptionTimeout
	StopTxOnEVSideDisconnect
	StopTxOnInvalidId
	TxBeforeAcceptedEnabled
	TxStartPoint
	TxStopPoint

	stationIDs // how many rows the station tier has
)

// The rows that every EVSE has, then those that every connector has. They have no typed accessor: a Ref says
// which one is meant.
const (
	EVSEAllowReset ID = stationIDs + iota
	EVSEAvailabilityState
	EVSEAvailable
	EVSEEvseId
	EVSEPower
	EVSEProblem
	EVSESupplyPhases

	FiscalMeteringPublicKey

	ConnectorAvailabilityState
	ConnectorAvailable
	ConnectorPhaseRotation
	ConnectorProblem
	ConnectorSupplyPhases
	ConnectorType

	LockProblem

	idCount
)

// String returns component and variable, such as "TxCtrlr.TxStartPoint".
func (id ID) String() string {
	for g := range table {
		for r := range table[g].rows {
			if table[g].rows[r].id == id {
				return table[g].component + "." + table[g].rows[r].variable().String()
			}
		}
	}
	return "variable(" + strconv.Itoa(int(id)) + ")"
}
