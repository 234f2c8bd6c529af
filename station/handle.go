package station

import (
	"fmt"

	"github.com/evsed/evsed/station/model"
)

// CSMSRequest is the bit that the link sets in the ids of a CSMS's requests; ids without it belong to local interfaces
// (console, simulator API), which may ask more.
const CSMSRequest RequestID = 1 << 63

func (id RequestID) fromCSMS() bool { return id&CSMSRequest != 0 }

// requestReceived answers a request, or notes it where the answer takes time.
func (s *Station) requestReceived(ev RequestReceived) {
	if ev.ID.fromCSMS() && s.boot.status == RegistrationRejected { // B03.FR.08
		s.refuse(ev.ID, "SecurityError", "the station is not accepted by this CSMS")
		return
	}
	if e := s.tooLarge(ev); e != nil {
		s.refuse(ev.ID, e.Code, e.Description)
		return
	}
	switch r := ev.Request.(type) {
	case ChangeAvailability:
		s.answer(ev.ID, s.changeAvailability(r))
	case ClearCache:
		s.answer(ev.ID, s.clearCache())
	case CustomerInformation:
		s.customerInformation(ev.ID, r)
	case DataTransfer: // P01.FR.05: no vendor is known here
		s.answer(ev.ID, Status{Status: "UnknownVendorId"})
	case GetBaseReport:
		s.getBaseReport(ev.ID, r)
	case GetReport:
		s.getReport(ev.ID, r)
	case GetVariables:
		s.getVariables(ev.ID, r)
	case SetVariables:
		s.setVariables(ev.ID, r)
	case ListVariables:
		s.answer(ev.ID, s.listVariables(r))
	case GetLocalListVersion:
		s.answer(ev.ID, LocalListVersion{Version: s.auth.List.ReportedVersion(s.settings.auth), Off: !s.settings.auth.ListEnabled})
	case SendLocalList:
		s.answer(ev.ID, s.sendLocalList(r))
	case GetLog:
		s.answer(ev.ID, s.getLog(r))
	case UpdateFirmware:
		s.updateFirmware(ev.ID, r)
	case GetTransactionStatus:
		s.answer(ev.ID, s.transactionStatus(r))
	case RequestStart:
		s.answer(ev.ID, s.requestStart(r))
	case RequestStop:
		s.answer(ev.ID, s.requestStop(r))
	case Reset:
		s.resetRequested(ev.ID, r)
	case SetNetworkProfile:
		s.answer(ev.ID, s.setNetworkProfile(r))
	case RaiseSecurity:
		s.answer(ev.ID, s.raiseSecurity(r))
	case TriggerMessage:
		s.triggerMessage(ev.ID, r)
	case UnlockConnector:
		s.unlockConnector(ev.ID, r)
	case InstallCertificate, GetInstalledCertificateIds, DeleteCertificate, CertificateSigned:
		s.certificateRequest(ev.ID, r)
	case ReserveNow:
		s.answer(ev.ID, s.reserveNow(r))
	case CancelReservation:
		s.answer(ev.ID, s.cancelReservation(r))
	case SetChargingProfile, ClearChargingProfile, GetChargingProfiles, GetCompositeSchedule:
		s.profileRequest(ev.ID, r)
	default:
		s.localRequest(ev)
	}
}

// localRequest answers what only a local interface may ask.
func (s *Station) localRequest(ev RequestReceived) {
	if ev.ID.fromCSMS() {
		panic(fmt.Sprintf("station: %T came from a CSMS", ev.Request))
	}
	switch r := ev.Request.(type) {
	case OverrideVariables:
		s.answer(ev.ID, s.overrideVariables(r))
	case GetInventory:
		s.answer(ev.ID, s.inventory(r))
	case PutAuthCache:
		for _, e := range r.Entries {
			s.learn(e.Token, e.Info)
		}
		s.out.MustSync = true
		s.answer(ev.ID, Status{Status: "Accepted"})
	case GetDiagnosticState:
		s.answer(ev.ID, s.diagnosticState())
	default:
		panic(fmt.Sprintf("station: unknown request %T", r))
	}
}

func (s *Station) answer(id RequestID, body ResponseBody) {
	s.out.Responses = append(s.out.Responses, Response{ID: id, Body: body})
}

func (s *Station) refuse(id RequestID, code, why string) {
	s.out.Responses = append(s.out.Responses, Response{ID: id, Error: &RequestError{Code: code, Description: why}})
}

func accepted() Status { return Status{Status: "Accepted"} }

func rejected(reason, info string) Status {
	return Status{Status: "Rejected", Reason: reason, Info: info}
}

// clearCache (C11).
func (s *Station) clearCache() Status {
	cs, ok := s.auth.Cache.Clear(nil, s.settings.auth)
	if !ok {
		return rejected("NotEnabled", "AuthCacheCtrlr.Enabled is false") // C11.FR.04
	}
	s.cacheChanges(cs)
	s.out.MustSync = true
	return accepted()
}

func (s *Station) getVariables(id RequestID, r GetVariables) {
	s.answer(id, Variables{Results: s.model.Get(nil, r.Items)})
}

func (s *Station) setVariables(id RequestID, r SetVariables) {
	results, changes := s.model.Set(r.Items)
	s.changed(changes)
	s.answer(id, VariablesSet{Results: results})
}

// transactionStatus (E14).
func (s *Station) transactionStatus(r GetTransactionStatus) TransactionStatus {
	st := TransactionStatus{HasOngoing: r.Transaction != ""}
	for i := range s.evses {
		st.Ongoing = st.Ongoing || s.evses[i].tx != nil && s.evses[i].tx.ID == r.Transaction
	}
	for _, w := range s.queue {
		st.Ongoing = st.Ongoing || w.tx != nil && w.tx.ID == r.Transaction
	}
	if s.cfg.Queued != nil {
		st.Queued = s.cfg.Queued(r.Transaction)
	}
	return st
}

// overrideVariables sets variables as a fitter does.
func (s *Station) overrideVariables(r OverrideVariables) VariablesSet {
	var v VariablesSet
	var changes []model.Change
	for _, it := range r.Items {
		res := model.SetResult{Component: it.Component, Variable: it.Variable, Attribute: it.Attribute, Status: model.SetAccepted}
		c, err := s.model.Override(it.Component, it.Variable, it.Attribute, it.Value)
		if err != nil {
			res.Status, res.Info = model.SetRejected, err.Error()
		} else {
			changes = append(changes, c)
		}
		v.Results = append(v.Results, res)
	}
	s.changed(changes)
	return v
}
