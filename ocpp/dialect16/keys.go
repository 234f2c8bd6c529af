package dialect16

import (
	"strconv"
	"strings"

	"github.com/evsed/evsed/station/model"
)

// key is a configuration key of the standard: which variable of the device model it is, and how 1.6 spells its value. A key
// exists where its variable does, so that none is accepted and ignored; whether it can be written is up to the variable.
type key struct {
	name                string
	component, variable string // a variable's instance behind '#'; "" where the key is a fact of the dialect
	also                string // the other variable that 1.6 has no key of its own for: it takes the same value
	off                 string // what false sets beside it, in the same component: the variable, '=' and its value
	form                form
}

// form is how a key's value comes of its variable.
type form uint8

const (
	plain    form = iota // as it is
	boolean              // true and false in any case of letters
	rate                 // A and W as Current and Power (1.6, 9.4.2 with errata 3.88)
	secret               // hexadecimal, and never told (whitepaper, 7.2)
	items                // how many words its list may have; read-only
	most                 // the largest value that it may have; read-only
	fact                 // of the dialect; read-only
	rotation             // of all connectors in one list
	level                // can only be raised (whitepaper, 7.6)
)

// keys are the configuration keys of 1.6 (chapter 9 with errata 3.83 and 3.90) and of the security whitepaper (chapter 7),
// and of signed meter values 1.0 (3.3), in the order in which they are listed. AuthorizationKey is errata 3.12 of OCPP-J as well.
var keys = [...]key{
	{name: "AlignedDataSignReadings", component: "AlignedDataCtrlr", variable: "SignReadings", form: boolean},
	{name: "AlignedDataSignUpdatedReadings", component: "AlignedDataCtrlr", variable: "SignUpdatedReadings", form: boolean},
	{name: "AllowOfflineTxForUnknownId", component: "AuthCtrlr", variable: "OfflineTxForUnknownIdEnabled", form: boolean},
	{name: "AuthorizationCacheEnabled", component: "AuthCacheCtrlr", variable: "Enabled", form: boolean},
	{name: "AuthorizeRemoteTxRequests", component: "AuthCtrlr", variable: "AuthorizeRemoteStart", form: boolean},
	{name: "BlinkRepeat", component: "ChargingStatusIndicator", variable: "BlinkRepeat"},
	{name: "ClockAlignedDataInterval", component: "AlignedDataCtrlr", variable: "Interval", also: "TxEndedInterval"},
	{name: "ConnectionTimeOut", component: "TxCtrlr", variable: "EVConnectionTimeOut"},
	{name: "ConnectorPhaseRotation", component: "Connector", variable: "PhaseRotation", form: rotation},
	{name: "ConnectorPhaseRotationMaxLength", component: "Connector", variable: "PhaseRotation", form: fact},
	{name: "GetConfigurationMaxKeys", component: "DeviceDataCtrlr", variable: "ItemsPerMessage#GetVariables"},
	{name: "HeartbeatInterval", component: "OCPPCommCtrlr", variable: "HeartbeatInterval"},
	{name: "LightIntensity", component: "ChargingStatusIndicator", variable: "Percent"},
	{name: "LocalAuthorizeOffline", component: "AuthCtrlr", variable: "LocalAuthorizeOffline", form: boolean},
	{name: "LocalPreAuthorize", component: "AuthCtrlr", variable: "LocalPreAuthorize", form: boolean},
	{name: "MaxEnergyOnInvalidId", component: "TxCtrlr", variable: "MaxEnergyOnInvalidId"},
	{name: "MessageTimeout", component: "OCPPCommCtrlr", variable: "MessageTimeout#Default"},
	{name: "MeterValuesAlignedData", component: "AlignedDataCtrlr", variable: "Measurands"},
	{name: "MeterValuesAlignedDataMaxLength", component: "AlignedDataCtrlr", variable: "Measurands", form: items},
	{name: "MeterValuesSampledData", component: "SampledDataCtrlr", variable: "TxUpdatedMeasurands"},
	{name: "MeterValuesSampledDataMaxLength", component: "SampledDataCtrlr", variable: "TxUpdatedMeasurands", form: items},
	{name: "MeterValueSampleInterval", component: "SampledDataCtrlr", variable: "TxUpdatedInterval", also: "TxEndedInterval"},
	{name: "MinimumStatusDuration", component: "OCPPCommCtrlr", variable: "MinimumStatusDuration"},
	{name: "NumberOfConnectors", form: fact},
	{name: "PublicKeyWithSignedMeterValue", component: "OCPPCommCtrlr", variable: "PublicKeyWithSignedMeterValue"},
	{name: "ResetRetries", component: "OCPPCommCtrlr", variable: "ResetRetries"},
	{name: "SampledDataSignReadings", component: "SampledDataCtrlr", variable: "SignReadings", form: boolean},
	{name: "SampledDataSignStartedReadings", component: "SampledDataCtrlr", variable: "SignStartedReadings", form: boolean},
	{name: "SampledDataSignUpdatedReadings", component: "SampledDataCtrlr", variable: "SignUpdatedReadings", form: boolean},
	// Where a transaction must outlive the plug, the plug must not be its stop point; where it must not, losing the authorization
	// ends it at either stop point.
	{name: "StopTransactionOnEVSideDisconnect", component: "TxCtrlr", variable: "StopTxOnEVSideDisconnect", off: "TxStopPoint=Authorized", form: boolean},
	{name: "StopTransactionOnInvalidId", component: "TxCtrlr", variable: "StopTxOnInvalidId", form: boolean},
	{name: "StopTxnAlignedData", component: "AlignedDataCtrlr", variable: "TxEndedMeasurands"},
	{name: "StopTxnAlignedDataMaxLength", component: "AlignedDataCtrlr", variable: "TxEndedMeasurands", form: items},
	{name: "StopTxnSampledData", component: "SampledDataCtrlr", variable: "TxEndedMeasurands"},
	{name: "StopTxnSampledDataMaxLength", component: "SampledDataCtrlr", variable: "TxEndedMeasurands", form: items},
	{name: "SupportedFeatureProfiles", form: fact},
	{name: "SupportedFeatureProfilesMaxLength", form: fact},
	{name: "TransactionMessageAttempts", component: "OCPPCommCtrlr", variable: "MessageAttempts#TransactionEvent"},
	{name: "TransactionMessageRetryInterval", component: "OCPPCommCtrlr", variable: "MessageAttemptInterval#TransactionEvent"},
	{name: "UnlockConnectorOnEVSideDisconnect", component: "OCPPCommCtrlr", variable: "UnlockOnEVSideDisconnect", form: boolean},
	{name: "WebSocketPingInterval", component: "OCPPCommCtrlr", variable: "WebSocketPingInterval"},

	{name: "LocalAuthListEnabled", component: "LocalAuthListCtrlr", variable: "Enabled", form: boolean},
	{name: "LocalAuthListMaxLength", component: "LocalAuthListCtrlr", variable: "Entries", form: most},
	{name: "SendLocalListMaxLength", component: "LocalAuthListCtrlr", variable: "ItemsPerMessage"},

	{name: "ReserveConnectorZeroSupported", component: "ReservationCtrlr", variable: "NonEvseSpecific", form: boolean},

	{name: "ChargeProfileMaxStackLevel", component: "SmartChargingCtrlr", variable: "ProfileStackLevel"},
	{name: "ChargingScheduleAllowedChargingRateUnit", component: "SmartChargingCtrlr", variable: "RateUnit", form: rate},
	{name: "ChargingScheduleMaxPeriods", component: "SmartChargingCtrlr", variable: "PeriodsPerSchedule"},
	{name: "ConnectorSwitch3to1PhaseSupported", component: "SmartChargingCtrlr", variable: "Phases3to1", form: boolean},
	{name: "MaxChargingProfilesInstalled", component: "SmartChargingCtrlr", variable: "Entries#ChargingProfiles", form: most},

	// A key of our own, named as the variable is: Component.Variable would be longer than a key may be.
	{name: "AllowNewSessionsPendingFirmwareUpdate", component: "ChargingStation", variable: "AllowNewSessionsPendingFirmwareUpdate", form: boolean},
	{name: "SupportedFileTransferProtocols", component: "OCPPCommCtrlr", variable: "FileTransferProtocols"},

	{name: "AdditionalRootCertificateCheck", component: "SecurityCtrlr", variable: "AdditionalRootCertificateCheck", form: boolean},
	{name: "AuthorizationKey", component: "SecurityCtrlr", variable: "BasicAuthPassword", form: secret},
	{name: "CertificateStoreMaxLength", component: "SecurityCtrlr", variable: "CertificateEntries", form: most},
	{name: "CertificateSignedMaxChainSize", component: "SecurityCtrlr", variable: "MaxCertificateChainSize"},
	{name: "CpoName", component: "SecurityCtrlr", variable: "OrganizationName"},
	{name: "SecurityProfile", component: "SecurityCtrlr", variable: "SecurityProfile", form: level},
}

// connectorTier is the component that exists once for each connector.
const connectorTier = "Connector"

// find returns the row of a standard key; keys are compared without regard to case (CiString, 1.6, 7.17).
func find(name string) *key {
	for i := range keys {
		if strings.EqualFold(keys[i].name, name) {
			return &keys[i]
		}
	}
	return nil
}

func (k *key) componentName() model.Component { return model.Component{Name: k.component} }

func (k *key) variableName() model.Variable { return splitVariable(k.variable) }

// splitVariable reads a variable with its instance behind '#'.
func splitVariable(s string) model.Variable {
	name, instance, _ := strings.Cut(s, "#")
	return model.Variable{Name: name, Instance: instance}
}

// derived reports whether a key is computed, so that nobody can write it.
func (k *key) derived() bool { return k.form == items || k.form == most || k.form == fact }

// maxKey is the longest name of a key, in characters (1.6, 7.29).
const maxKey = 50

// controller ends the names of most components of the station. A name that would be too long is told without it.
const controller = "Ctrlr"

// ownName is the name under which a variable without a key of the standard is listed: Component.Variable, as in
// "TxCtrlr.TxStartPoint", "EVSE@1.AvailabilityState", "DeviceDataCtrlr.ItemsPerMessage#SetVariables".
func ownName(c model.Component, v model.Variable) string {
	name := c.String() + "." + v.String()
	if len(name) > maxKey && c.EVSE == 0 {
		c.Name = strings.TrimSuffix(c.Name, controller)
		name = c.String() + "." + v.String()
	}
	return name
}

// parseOwn is the inverse of ownName. Any text gives some name; the core knows whether there is such a variable.
func parseOwn(name string) (c model.Component, v model.Variable) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return model.Component{Name: name}, v
	}
	v = splitVariable(name[dot+1:])
	left, place, placed := strings.Cut(name[:dot], "@")
	c.Name, c.Instance, _ = strings.Cut(left, "#")
	if !placed {
		if n := len(c.Name) - len(controller); len(name) > maxKey-len(controller) && (n < 0 || !strings.EqualFold(c.Name[n:], controller)) {
			c.Name += controller
		}
		return c, v
	}
	ref, ok := parseRef(place)
	if !ok {
		return model.Component{Name: name}, model.Variable{}
	}
	c.EVSE, c.Connector = ref.EVSE, ref.Connector
	return c, v
}

// spell returns the value of a variable as the key's row says it.
func (k *key) spell(row *model.ReportRow, value string) string {
	switch k.form {
	case rate:
		return strings.NewReplacer("A", "Current", "W", "Power").Replace(value)
	case items:
		if n := row.Characteristics.MaxElements; n > 0 {
			return strconv.Itoa(n)
		}
		return strconv.Itoa(words(row.Characteristics.ValuesList))
	case most:
		return row.Characteristics.MaxLimit.Value.String()
	}
	return value
}

// read returns a written value in the spelling of the device model.
func (k *key) read(value string) string {
	switch k.form {
	case boolean:
		return strings.ToLower(strings.TrimSpace(value))
	case secret:
		return authorizationKey(value)
	}
	return strings.TrimSpace(value)
}

// words counts the words of a comma separated list.
func words(list string) int {
	if list == "" {
		return 0
	}
	return 1 + strings.Count(list, ",")
}
