package station

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/update"
)

// firmware is the update that was asked for last (L01).
type firmware struct {
	machine update.Machine
	holding bool // no new session begins, for an image waits or is being installed
}

// updateKey is the only key of BucketUpdate.
const updateKey = "update"

func (s *Station) restoreUpdate(value []byte) error {
	var k update.Kept
	if err := json.Unmarshal(value, &k); err != nil {
		return fmt.Errorf("firmware update: %w", err)
	}
	return s.firmware.machine.Restore(k)
}

// world is what an update depends on.
func (s *Station) world() update.World {
	return update.World{Now: s.now, Wall: s.wall(), Busy: s.busy(), Ill: s.storage != ""}
}

// startUpdate goes on with an update after a restart.
func (s *Station) startUpdate() {
	s.takeUpdate(s.firmware.machine.Start(s.world(), s.cfg.Image))
	s.holdForUpdate()
}

// updateFirmware (L01).
func (s *Station) updateFirmware(id RequestID, r UpdateFirmware) {
	st, e := s.beginUpdate(r)
	if e != nil {
		s.refuse(id, e.Code, e.Description)
		return
	}
	if r.Plain && st.Status != "Accepted" && st.Status != string(acceptedCanceled) { // its answer has no room for a status
		s.refuse(id, "InternalError", strings.TrimSpace(st.Reason+" "+st.Info))
		return
	}
	s.answer(id, st)
}

// acceptedCanceled says that a newer update has taken the place of an older one (L01.FR.24).
const acceptedCanceled = "AcceptedCanceled"

func (s *Station) beginUpdate(r UpdateFirmware) (Status, *RequestError) {
	u := update.Update{RequestID: r.RequestID, HasRequestID: r.HasRequestID, URL: r.URL, Retrieve: r.Retrieve.UTC(), Install: r.Install.UTC(),
		Retries: -1, Interval: r.RetryInterval}
	if r.HasRetries {
		u.Retries = r.Retries
	}
	switch {
	case r.Plain && !s.model.Bool(model.PlainUpdateFirmware): // whitepaper L01.FR.20
		return Status{}, &RequestError{Code: "NotSupported", Description: "firmware is updated by SignedUpdateFirmware alone"}
	case r.Plain: // the signature inside the image decides alone
	case r.Certificate == "" && r.Signature == "": // L02 is what this station does not do
		return rejected("MissingParam", "firmware must be signed: signingCertificate and signature"), nil
	default:
		der, why := s.signingCertificate(r.Certificate)
		if why != "" { // L01.FR.02, L01.FR.22
			s.securityEvent(InvalidFirmwareSigningCertificate, fmt.Sprintf("request %d: %s", r.RequestID, why))
			return Status{Status: "InvalidCertificate", Reason: "InvalidCertificate", Info: why}, nil
		}
		sig, err := update.Signature(r.Signature)
		if err != nil || sig == nil {
			sig = []byte{} // one that is missing or no Base64 signs no file: InvalidSignature
		}
		u.Certificate, u.Signature = der, sig
	}
	if !Fetchable(r.URL) {
		return rejected("InvalidURL", FirmwareAddresses), nil
	}
	if !s.firmware.machine.Can() { // L01.FR.27
		return rejected("FwUpdateInProgress", "an image is being installed"), nil
	}
	turn, canceled, ok := s.firmware.machine.Begin(s.world(), u)
	if !ok {
		return rejected("Unspecified", "too many updates; try later"), nil
	}
	s.takeUpdate(turn)
	s.holdForUpdate()
	st := accepted()
	if canceled {
		st.Status = acceptedCanceled
	}
	return st, nil
}

// signingCertificate returns a signing certificate in DER, or why it is refused (L01.FR.21).
func (s *Station) signingCertificate(text string) (der []byte, why string) {
	der, err := update.Certificate(text, s.Roots(cert.ManufacturerRootCertificate), s.knownTime())
	if err != nil {
		return nil, err.Error()
	}
	return der, ""
}

// takeUpdate carries out what follows for the update. What is told, and what is done, is on flash before.
func (s *Station) takeUpdate(t update.Turn) {
	u := s.firmware.machine.Current()
	if t.Keep {
		s.record(BucketUpdate, updateKey, appendJSON(nil, s.firmware.machine.Kept()))
		s.out.MustSync = true
	}
	if t.Cancel != 0 {
		s.command(CancelFetch{Number: t.Cancel})
	}
	for _, n := range t.Notices { // in the order in which they came to be, each of them (L01.FR.01)
		s.report(Kept, "", FirmwareStatus{Status: string(n.Status), RequestID: n.RequestID, HasRequestID: n.HasRequestID, Reason: n.Reason, Info: n.Info})
		switch n.Status {
		case update.InvalidSignature: // L01.FR.03
			s.securityEvent(InvalidFirmwareSignature, fmt.Sprintf("request %d: %s", n.RequestID, n.Reason))
		case update.Installed: // L01.FR.31
			s.securityEvent(FirmwareUpdated, u.Version)
		}
	}
	if t.Fetch {
		s.command(Fetch{Number: u.Number, URL: u.URL, Resume: t.Resume})
	}
	if t.Install {
		s.command(Install{Number: u.Number, Digest: u.Digest})
	}
	if t.Enable {
		s.command(Activate{Number: u.Number})
	}
	if t.Reboot {
		s.resetting = reset{why: BootFirmwareUpdate, spent: s.resetting.spent}
		s.reboot()
	}
}

func (s *Station) fetchEnded(ev FetchEnded) {
	if ev.Code != "" {
		s.takeUpdate(s.firmware.machine.FetchFailed(s.world(), ev.Number, ev.Code, ev.Final))
		return
	}
	s.takeUpdate(s.firmware.machine.Fetched(s.world(), ev.Number, ev.Digest, func(u update.Update) bool {
		if s.cfg.SimulatedFirmware && ev.Verdict != "" {
			return ev.Verdict == "ok"
		}
		return update.Verify(u.Certificate, u.Signature, ev.Digest) == nil // L01.FR.04
	}))
}

func (s *Station) installEnded(ev InstallEnded) {
	if ev.Code != "" {
		turn := s.firmware.machine.InstallFailed(ev.Number, ev.Code, ev.Unfit)
		s.takeUpdate(turn)
		for _, n := range turn.Notices {
			if ev.Forged {
				s.securityEvent(InvalidFirmwareSignature, fmt.Sprintf("request %d: %s", n.RequestID, n.Reason))
			}
		}
		return
	}
	s.takeUpdate(s.firmware.machine.Checked(s.world(), ev.Number, ev.Version))
}

func (s *Station) activated(ev Activated) {
	if ev.Code != "" {
		s.takeUpdate(s.firmware.machine.EnableFailed(ev.Number, ev.Code))
		return
	}
	turn := s.firmware.machine.Enabled(ev.Number, ev.Live)
	s.takeUpdate(turn)
	if ev.Live && len(turn.Notices) > 0 { // it introduces itself anew
		s.cfg.Identity.FirmwareVersion = s.firmware.machine.Current().Version
		s.command(Reconnect{})
	}
}

// updateTimers goes on as far as time, sessions and storage allow.
func (s *Station) updateTimers() {
	s.takeUpdate(s.firmware.machine.Settle(s.world()))
	s.holdForUpdate()
}

// holdForUpdate closes the station for new sessions while an image waits for the running ones to end (L01.FR.07), unless they
// are allowed meanwhile, and while it is installed; and opens it again.
func (s *Station) holdForUpdate() {
	m := &s.firmware.machine
	hold := m.Installing() || m.Waiting(s.world()) && !s.model.Bool(model.AllowNewSessionsPendingFirmwareUpdate)
	if hold == s.firmware.holding {
		return
	}
	s.firmware.holding = hold
	if hold {
		s.dropUnstarted()
	} else {
		s.unblock()
	}
}

// closing reports whether no new session begins because the station restarts soon, or waits to install its firmware.
func (s *Station) closing() bool { return s.resetting.scheduled() || s.firmware.holding }

// triggeredFirmware tells how the update is, because the CSMS asked (F06.FR.16): as it was told last, but for an update that is
// done (L01.FR.25, L01.FR.26).
func (s *Station) triggeredFirmware() {
	st := FirmwareStatus{Status: string(update.Idle), Triggered: true}
	if now := s.firmware.machine.Status(); now != update.Idle && now != update.Installed {
		u := s.firmware.machine.Current()
		st.Status, st.RequestID, st.HasRequestID = string(now), u.RequestID, u.HasRequestID
	}
	s.report(Now, "", st)
	s.early()
}
