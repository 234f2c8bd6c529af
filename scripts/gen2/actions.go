package main

import (
	"fmt"
	"strings"
)

// fromStation lists the actions that a station calls; a CSMS calls the others. The schemas do not say it:
// part 2 does, at each message.
var fromStation = map[string]bool{
	"Authorize": true, "BatterySwap": true, "BootNotification": true, "ClearedChargingLimit": true,
	"ClosePeriodicEventStream": true, "FirmwareStatusNotification": true, "Get15118EVCertificate": true,
	"GetCertificateChainStatus": true, "GetCertificateStatus": true, "Heartbeat": true, "LogStatusNotification": true,
	"MeterValues": true, "NotifyChargingLimit": true, "NotifyCustomerInformation": true, "NotifyDERAlarm": true,
	"NotifyDERStartStop": true, "NotifyDisplayMessages": true, "NotifyEVChargingNeeds": true,
	"NotifyEVChargingSchedule": true, "NotifyEvent": true, "NotifyMonitoringReport": true,
	"NotifyPeriodicEventStream": true, "NotifyPriorityCharging": true, "NotifyReport": true, "NotifySettlement": true,
	"OpenPeriodicEventStream": true, "PublishFirmwareStatusNotification": true, "PullDynamicScheduleUpdate": true,
	"ReportChargingProfiles": true, "ReportDERControl": true, "ReservationStatusUpdate": true,
	"SecurityEventNotification": true, "SignCertificate": true, "StatusNotification": true, "TransactionEvent": true,
	"VatNumberValidation": true,

	"DiagnosticsStatusNotification": true, "SignedFirmwareStatusNotification": true, "StartTransaction": true,
	"StopTransaction": true,
}

// featureProfiles is the feature profile of an action of 1.6 (chapter 3); the others are the core.
var featureProfiles = map[string]string{
	"DiagnosticsStatusNotification": "FirmwareManagement", "FirmwareStatusNotification": "FirmwareManagement",
	"GetDiagnostics": "FirmwareManagement", "UpdateFirmware": "FirmwareManagement",
	"GetLocalListVersion": "LocalAuthListManagement", "SendLocalList": "LocalAuthListManagement",
	"CancelReservation": "Reservation", "ReserveNow": "Reservation",
	"ClearChargingProfile": "SmartCharging", "GetCompositeSchedule": "SmartCharging", "SetChargingProfile": "SmartCharging",
	"TriggerMessage":    "RemoteTrigger",
	"CertificateSigned": "Security", "DeleteCertificate": "Security", "ExtendedTriggerMessage": "Security",
	"GetInstalledCertificateIds": "Security", "GetLog": "Security", "InstallCertificate": "Security",
	"LogStatusNotification": "Security", "SecurityEventNotification": "Security", "SignCertificate": "Security",
	"SignedFirmwareStatusNotification": "Security", "SignedUpdateFirmware": "Security",
}

// column is what the table says of an action's name, besides.
func (d *dialect) column(o *object, answered bool) string {
	action := actionOf(o.schema)
	if d.tables {
		if p := featureProfiles[action]; p != "" {
			return p
		}
		return "Core"
	}
	if o.inOld {
		return fmt.Sprintf("V201, %t", answered)
	}
	return fmt.Sprintf("V21, %t", answered)
}

// emitActions writes the table of actions and the two constructors.
func (m *model) emitActions(b *strings.Builder) {
	var requests, responses []*object
	has := map[string]bool{}
	for _, o := range m.objects {
		switch {
		case o.message && strings.HasSuffix(o.schema, "Request"):
			requests = append(requests, o)
		case o.message:
			responses = append(responses, o)
			has[actionOf(o.schema)] = true
		}
	}
	b.WriteString("var actions = [...]ActionInfo{\n")
	index := map[string]int{}
	for i, o := range requests {
		action := actionOf(o.schema)
		index[action] = i
		from := "FromCSMS"
		if action == "DataTransfer" {
			from = "Both"
		} else if fromStation[action] {
			from = "FromStation"
		}
		fmt.Fprintf(b, "\t{%q, %s, %s},\n", action, from, m.dialect.column(o, has[action]))
	}
	b.WriteString("}\n\n")
	emitNew(b, "newRequest", requests, index)
	emitNew(b, "newResponse", responses, index)
}

func emitNew(b *strings.Builder, name string, objects []*object, index map[string]int) {
	fmt.Fprintf(b, "func %s(i int) Message {\n\tswitch i {\n", name)
	for _, o := range objects {
		fmt.Fprintf(b, "\tcase %d:\n\t\treturn new(%s)\n", index[actionOf(o.schema)], o.goName)
	}
	b.WriteString("\t}\n\treturn nil\n}\n")
}
