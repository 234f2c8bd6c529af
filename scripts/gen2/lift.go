package main

import (
	"fmt"
	"reflect"
	"sort"
)

// The schemas of 1.6 say enumerations and objects where they stand. lift gives them the names of the specification
// (1.6, chapter 7) and puts them among the definitions, so that equal ones become one type.

// partNames is the name of an object by the member that holds it.
var partNames = map[string]string{
	"chargingProfile": "ChargingProfile", "csChargingProfiles": "ChargingProfile", "chargingSchedule": "ChargingSchedule",
	"chargingSchedulePeriod": "ChargingSchedulePeriod", "configurationKey": "KeyValue", "idTagInfo": "IdTagInfo",
	"localAuthorizationList": "AuthorizationData", "meterValue": "MeterValue", "sampledValue": "SampledValue",
	"transactionData": "MeterValue",
}

// enumNames is the name of an enumeration by the object and the member that holds it, or by the member alone.
var enumNames = map[string]string{
	"chargingProfileKind": "ChargingProfileKind", "chargingProfilePurpose": "ChargingProfilePurpose",
	"chargingRateUnit": "ChargingRateUnit", "recurrencyKind": "RecurrencyKind", "updateType": "Update",
	"reason": "Reason", "errorCode": "ChargePointErrorCode",

	"SampledValue.context": "ReadingContext", "SampledValue.format": "ValueFormat", "SampledValue.measurand": "Measurand",
	"SampledValue.phase": "Phase", "SampledValue.location": "Location", "SampledValue.unit": "UnitOfMeasure",

	"IdTagInfo.status": "AuthorizationStatus", "BootNotificationResponse.status": "RegistrationStatus",
	"CancelReservationResponse.status": "CancelReservationStatus", "ChangeAvailabilityRequest.type": "Availability",
	"ChangeAvailabilityResponse.status": "AvailabilityStatus", "ChangeConfigurationResponse.status": "ConfigurationStatus",
	"ClearCacheResponse.status": "ClearCacheStatus", "ClearChargingProfileResponse.status": "ClearChargingProfileStatus",
	"DataTransferResponse.status": "DataTransferStatus", "DiagnosticsStatusNotificationRequest.status": "DiagnosticsStatus",
	"FirmwareStatusNotificationRequest.status": "FirmwareStatus", "GetCompositeScheduleResponse.status": "GetCompositeScheduleStatus",
	"RemoteStartTransactionResponse.status": "RemoteStartStopStatus", "RemoteStopTransactionResponse.status": "RemoteStartStopStatus",
	"ReserveNowResponse.status": "ReservationStatus", "ResetRequest.type": "Reset", "ResetResponse.status": "ResetStatus",
	"SendLocalListResponse.status": "UpdateStatus", "SetChargingProfileResponse.status": "ChargingProfileStatus",
	"StatusNotificationRequest.status": "ChargePointStatus", "TriggerMessageRequest.requestedMessage": "MessageTrigger",
	"TriggerMessageResponse.status": "TriggerMessageStatus", "UnlockConnectorResponse.status": "UnlockStatus",
}

// clashes renames definitions of the security whitepaper that are called as others in the core and say something else.
var clashes = map[string]string{
	"FirmwareStatusEnumType": "SignedFirmwareStatusEnumType", "MessageTriggerEnumType": "ExtendedMessageTriggerEnumType",
	"TriggerMessageStatusEnumType": "TriggerMessageStatus", // the very same
}

// textLimits bounds text that 1.6 leaves open, in characters: by object and member.
var textLimits = map[string]int{
	"DataTransferRequest.data": 65535, "DataTransferResponse.data": 65535, // certificates of Plug & Charge
	"SampledValue.value":             32768, // signed data: as in 2.1
	"GetDiagnosticsRequest.location": 2048, "UpdateFirmwareRequest.location": 2048,
}

// lift moves what stands inline to the definitions.
func (all *set) lift() error {
	named := map[string]schema{}
	for name, def := range all.definitions {
		named[renamed(name)] = def
	}
	all.definitions = named
	owners := make([]string, 0, len(all.messages)+len(named))
	for name := range all.messages {
		owners = append(owners, name)
	}
	for name := range named {
		owners = append(owners, name)
	}
	sort.Strings(owners)
	for _, name := range owners {
		s := body(all, name)
		if err := all.liftMembers(name, s); err != nil {
			return err
		}
	}
	return nil
}

func renamed(definition string) string {
	if name, ok := clashes[definition]; ok {
		return name
	}
	return definition
}

func (all *set) liftMembers(owner string, s *schema) error {
	for i := range s.Properties {
		p := &s.Properties[i]
		v := &p.schema
		if v.Type == "array" {
			v = v.Items
		}
		if v.Ref != "" {
			v.Ref = reference(renamed(v.ref()))
		}
		if limit := textLimits[owner+"."+p.name]; limit != 0 {
			v.MaxLength = limit
		}
		if err := all.liftOne(owner, p.name, v); err != nil {
			return fmt.Errorf("%s.%s: %w", owner, p.name, err)
		}
	}
	return nil
}

// liftOne replaces v by a reference if it has a name of its own.
func (all *set) liftOne(owner, member string, v *schema) error {
	var name string
	switch {
	case len(v.Enum) > 0:
		if name = enumNames[owner+"."+member]; name == "" {
			name = enumNames[member]
		}
	case v.Type == "object":
		name = partNames[member]
	default:
		return nil
	}
	if name == "" {
		return fmt.Errorf("no name for what stands there")
	}
	def := *v
	if err := all.liftMembers(name, &def); err != nil {
		return err
	}
	if known, ok := all.definitions[name]; ok && !reflect.DeepEqual(known, def) {
		return fmt.Errorf("%s is said in two ways", name)
	}
	all.definitions[name] = def
	*v = schema{Ref: reference(name)}
	return nil
}

func reference(definition string) string { return "#/definitions/" + definition }
