package term

// ChargingState of a transaction (OCPP ChargingStateEnumType).
type ChargingState string

// Charging states.
const (
	ChargingIdle          ChargingState = "Idle"
	ChargingEVConnected   ChargingState = "EVConnected"
	ChargingCharging      ChargingState = "Charging"
	ChargingSuspendedEV   ChargingState = "SuspendedEV"
	ChargingSuspendedEVSE ChargingState = "SuspendedEVSE"
)

// TriggerReason is why a TransactionEvent is sent (OCPP TriggerReasonEnumType).
type TriggerReason string

// Trigger reasons that this station gives.
const (
	TriggerAbnormalCondition    TriggerReason = "AbnormalCondition"
	TriggerAuthorized           TriggerReason = "Authorized"
	TriggerCablePluggedIn       TriggerReason = "CablePluggedIn"
	TriggerChargingStateChanged TriggerReason = "ChargingStateChanged"
	TriggerChargingRateChanged  TriggerReason = "ChargingRateChanged"
	TriggerDeauthorized         TriggerReason = "Deauthorized"
	TriggerEnergyLimitReached   TriggerReason = "EnergyLimitReached"
	TriggerEVCommunicationLost  TriggerReason = "EVCommunicationLost"
	TriggerEVConnectTimeout     TriggerReason = "EVConnectTimeout"
	TriggerEVDeparted           TriggerReason = "EVDeparted"
	TriggerEVDetected           TriggerReason = "EVDetected"
	TriggerMeterValueClock      TriggerReason = "MeterValueClock"
	TriggerMeterValuePeriodic   TriggerReason = "MeterValuePeriodic"
	TriggerRemoteStart          TriggerReason = "RemoteStart"
	TriggerRemoteStop           TriggerReason = "RemoteStop"
	TriggerResetCommand         TriggerReason = "ResetCommand"
	TriggerSignedDataReceived   TriggerReason = "SignedDataReceived"
	TriggerStopAuthorized       TriggerReason = "StopAuthorized"
	TriggerTrigger              TriggerReason = "Trigger"
	TriggerTxResumed            TriggerReason = "TxResumed" // 2.1; told as ChargingStateChanged in 2.0.1
	TriggerUnlockCommand        TriggerReason = "UnlockCommand"
)

// StopReason is why a transaction ended (OCPP ReasonEnumType).
type StopReason string

// Stop reasons that this station gives.
const (
	StopDeAuthorized   StopReason = "DeAuthorized"
	StopEmergencyStop  StopReason = "EmergencyStop"
	StopEVDisconnected StopReason = "EVDisconnected"
	StopGroundFault    StopReason = "GroundFault"
	StopImmediateReset StopReason = "ImmediateReset"
	StopHardReset      StopReason = "HardReset" // 1.6; told as ImmediateReset in 2.x
	StopMasterPass     StopReason = "MasterPass"
	StopLocal          StopReason = "Local"
	StopOther          StopReason = "Other"
	StopOvercurrent    StopReason = "OvercurrentFault"
	StopPowerLoss      StopReason = "PowerLoss"
	StopReboot         StopReason = "Reboot"
	StopRemote         StopReason = "Remote"
	StopByEV           StopReason = "StoppedByEV"
	StopTimeout        StopReason = "Timeout"
	StopEnergyLimit    StopReason = "EnergyLimitReached"
)
