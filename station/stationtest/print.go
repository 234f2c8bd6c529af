package stationtest

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// stamp is the time since the world began, in seconds.
func (b *Bench) stamp() string { return seconds(b.t) }

func seconds(d time.Duration) string {
	return fmt.Sprintf("%d.%03d", d/time.Second, d%time.Second/time.Millisecond)
}

func (b *Bench) print(format string, args ...any) {
	if b.silent {
		return
	}
	stamp := ""
	if b.t != b.shown {
		stamp, b.shown = b.stamp(), b.t
	}
	fmt.Fprintf(&b.out, "%10s %s\n", stamp, fmt.Sprintf(format, args...))
}

// printEvent shows what the world did, but for the steady readings of the meter and the plain answers of the CSMS.
func (b *Bench) printEvent(ev station.Event) {
	switch ev := ev.(type) {
	case station.PilotChanged:
		b.print("< pilot %s %s", ev.Ref, ev.State)
	case station.CableChanged:
		b.print("< cable %s %s", ev.Ref, choose(ev.Present, "in "+amps(ev.Rating), "out"))
	case station.PowerChanged:
		b.print("< contactor %s %s", ev.Ref, choose(ev.Closed, "closed", "open"))
	case station.LockChanged:
		b.print("< lock %s %s%s", ev.Ref, choose(ev.Locked, "locked", "unlocked"), choose(ev.Failed, " failed", ""))
	case station.OfferChanged:
		b.print("< offer %s %s", ev.Ref, amps(ev.Current))
	case station.MeterSigned:
		b.print("< signed %d %s %s", ev.EVSE, [...]string{"", "begin", "now", "end"}[ev.Step], ev.Transaction+term.TransactionID(choose(ev.Err != "", ": "+ev.Err, "")))
	case station.ReplyReceived:
		b.printReply(ev)
	}
}

func (b *Bench) printReply(ev station.ReplyReceived) {
	switch r := ev.Reply.(type) {
	case station.BootReply:
		b.print("< BootNotification: %s interval=%d", r.Status, r.Interval/time.Second)
	case station.TokenReply:
		if r.Has {
			b.print("< %s: %s%s", kindOf(ev.Of), r.Info.Status, choose(!r.Info.Group.IsZero(), " group="+r.Info.Group.Value, ""))
		}
	case station.SignReply:
		b.print("< SignCertificate: %s", choose(r.Accepted, "Accepted", "Rejected"))
	case station.Refused:
		b.print("< %s: error %s", kindOf(ev.Of), r.Code)
	case station.Unanswered:
		b.print("< %s: unanswered", kindOf(ev.Of))
	}
}

// since shows an instant with what it is; nothing for the zero one.
func since(word string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return word + t.UTC().Format(time.RFC3339)
}

func choose(c bool, yes, no string) string {
	if c {
		return yes
	}
	return no
}

func amps(c unit.Current) string { return string(unit.AppendMilli(nil, int64(c))) + "A" }

// kindOf is the name of a report's type.
func kindOf(r station.ReportBody) string {
	t := reflect.TypeOf(r)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}

func (b *Bench) printOutput(o station.Output) {
	for _, p := range o.Cut {
		b.print("> cut %s", describePermit(p))
	}
	b.printRecords(o)
	if len(o.Records) > 0 && !o.MustSync && slices.ContainsFunc(o.Reports, func(r station.Report) bool { return r.Class == station.Kept }) {
		b.print("> no sync owed")
	}
	for _, p := range o.Permits {
		b.print("> permit %s", describePermit(p))
	}
	for _, r := range o.Responses {
		b.print("> response %s", describeResponse(r))
	}
	for _, r := range o.Reports {
		if !b.cfg.Views && !b.link.news(r) {
			continue
		}
		b.print("> %s%s%s", choose(r.Class == station.Latest, "latest ", ""), choose(r.Early, "early ", ""), describeReport(b, r.Body))
	}
	for _, c := range o.Commands {
		switch c := c.(type) {
		case station.Indicate:
			b.print("> light %s %s", c.Ref, indications[c.Show])
		case station.Signal:
			b.print("> %s", describeSignal(c))
		case station.Dim:
			b.print("> dim %s", c.Level)
		case station.SignBegin:
			b.print("> sign begin %d %s %s for %q", c.EVSE, c.Session.Transaction, c.Session.EVSE, c.Session.User)
		case station.SignNow:
			b.print("> sign now %d %s", c.EVSE, c.Transaction)
		case station.SignEnd:
			b.print("> sign end %d %s for %q", c.EVSE, c.Session.Transaction, c.Session.User)
		case station.Gate:
			b.print("> gate %s", c.Status)
		case station.Upload:
			b.print("> upload %d %s %s%s%s", c.Number, c.URL, c.File, since(" from ", c.Oldest), since(" to ", c.Latest))
		case station.CancelUpload:
			b.print("> cancel upload %d", c.Number)
		case station.Fetch, station.CancelFetch, station.Install, station.Activate:
			b.print("> %s", describeFirmware(c))
		case station.MakeCSR:
			b.print("> make csr %d %s %s CN=%s O=%s", c.Number, c.Key, c.Algorithm, c.CommonName, c.Organization)
		case station.DropKey:
			b.print("> drop key %s", c.Key)
		case station.Reboot, station.Reconfigure, station.Reconnect:
			b.print("> %s", strings.ToLower(reflect.TypeOf(c).Name()))
		}
	}
}

func describeSignal(c station.Signal) string {
	s := c.Kind.String()
	for i, e := range c.EVSEs {
		s += choose(i == 0, " ", ",") + strconv.Itoa(int(e))
	}
	return s + choose(c.Code != "", " "+c.Code, "") + choose(c.Times > 0, fmt.Sprintf(" blink=%d", c.Times), "")
}

var indications = []string{"off", "available", "reserved", "authorizing", "connected", "charging", "suspended", "finishing",
	"unavailable", "faulted"}

// printRecords shows the records that no report shows, and whether they owe a sync.
func (b *Bench) printRecords(o station.Output) {
	var words []string
	for _, r := range o.Records {
		switch {
		case r.Bucket == station.BucketOutbox:
		case r.Bucket == station.BucketTransaction && r.Value != nil: // shown by its event, but for a bare change
		case r.Value == nil:
			words = append(words, fmt.Sprintf("-%v/%s", r.Bucket, r.Key))
		case r.Bucket == station.BucketAuthCache, r.Bucket == station.BucketDeadLetter, r.Bucket == station.BucketProfile, r.Bucket == station.BucketUpdate, r.Bucket == station.BucketCertificate:
			words = append(words, fmt.Sprintf("%v/%s", r.Bucket, r.Key))
		default:
			words = append(words, fmt.Sprintf("%v/%s=%s", r.Bucket, r.Key, r.Value))
		}
	}
	if len(words) > 0 {
		b.print("> record %s%s", strings.Join(words, " "), choose(o.MustSync, " sync", ""))
	}
}

func describePermit(p term.Permit) string {
	s := p.Ref.String()
	if p.Close {
		s += " close " + amps(p.Max)
	} else {
		s += " open"
	}
	s += choose(p.Lock, " lock", "")
	return s + choose(p.Fail, " fail", "")
}

func describeReport(b *Bench, body station.ReportBody) string {
	switch r := body.(type) {
	case *station.TransactionEvent:
		return describeEvent(b, r)
	case station.BootNotification:
		return fmt.Sprintf("BootNotification %s", r.Reason)
	case station.StatusNotification:
		return fmt.Sprintf("StatusNotification %s %s", r.Ref, r.Status) + choose(b.cfg.Views, describeView(r.ConnectorView), "")
	case station.NotifyEvent:
		return strings.TrimSpace(fmt.Sprintf("NotifyEvent %s/Problem=%t %s %s", r.Component, r.Problem, r.Code, r.Info))
	case station.Authorize:
		return fmt.Sprintf("Authorize %s", r.Token.Value)
	case station.MeterValues:
		return fmt.Sprintf("MeterValues %d %s", r.EVSE, describeValues(r.Values))
	case station.SecurityEvent:
		return strings.TrimSpace(fmt.Sprintf("SecurityEvent %s %s", r.Type, r.Info))
	case station.NotifyReport:
		return fmt.Sprintf("NotifyReport id=%d seq=%d%s rows=%d %s", r.RequestID, r.SeqNo, choose(r.More, " more", ""), len(r.Rows), rowNames(r.Rows))
	case station.NotifyCustomerInformation:
		return fmt.Sprintf("NotifyCustomerInformation id=%d seq=%d%s %q", r.RequestID, r.SeqNo, choose(r.More, " more", ""), r.Data)
	case station.SignCertificate:
		return fmt.Sprintf("SignCertificate %s id=%d", r.Use, r.RequestID)
	case station.ReservationStatus:
		return fmt.Sprintf("ReservationStatus %d %s", r.ID, r.Status)
	case station.ChargingProfiles:
		return describeProfiles(r)
	case station.FirmwareStatus:
		return "FirmwareStatus " + r.Status + choose(r.HasRequestID, fmt.Sprintf(" id=%d", r.RequestID), "") + choose(r.Reason != "", " "+r.Reason, "") + choose(r.Info != "", " ("+r.Info+")", "")
	case station.LogStatus:
		return "LogStatus " + r.Status + choose(r.HasRequestID, fmt.Sprintf(" id=%d", r.RequestID), "") + choose(r.Reason != "", " "+r.Reason, "")
	}
	return kindOf(body)
}

// describeView shows what a view says beyond its status.
func describeView(v station.ConnectorView) string {
	s := choose(v.Wanted, " wanted", "") + choose(v.Transaction, " transaction "+string(v.State)+choose(v.Begun, " begun", "")+choose(v.Offered, " offered", ""), "") +
		choose(v.Over, " over", "") + choose(v.Unplugged, " unplugged", "") + choose(v.ListConflict, " listConflict", "") +
		choose(v.ResetFailed, " resetFailed", "")
	for _, f := range v.Faults.List() {
		s += " !" + f.String()
	}
	return s
}

func rowNames(rows []model.ReportRow) string {
	var names []string
	for _, r := range rows[:min(len(rows), 2)] {
		names = append(names, r.Component.String()+"/"+r.Variable.String()+"="+r.Attributes[0].Value)
	}
	if len(rows) > 2 {
		names = append(names, "...")
	}
	return strings.Join(names, " ")
}

var phases = []string{"", "Started", "Updated", "Ended"}

func describeEvent(b *Bench, ev *station.TransactionEvent) string {
	s := fmt.Sprintf("%s %s#%d %s", phases[ev.Phase], ev.Transaction, ev.SeqNo, ev.Trigger)
	add := func(show bool, format string, args ...any) {
		if show {
			s += " " + fmt.Sprintf(format, args...)
		}
	}
	add(ev.ChargingState != "", "%s", ev.ChargingState)
	add(ev.StoppedReason != "", "reason=%s", ev.StoppedReason)
	add(!ev.StoppedBy.IsZero(), "by=%s", ev.StoppedBy.Value)
	add(ev.Offline, "offline")
	add(ev.ClockUnsure, "unsure")
	add(ev.Ref.EVSE != 0, "at=%s", ev.Ref)
	add(!ev.Token.IsZero(), "token=%s", ev.Token.Value)
	add(ev.Token.Type == term.TokenNoAuthorization, "NoAuthorization")
	add(ev.HasRemoteStart, "remote=%d", ev.RemoteStartID)
	add(ev.HasReservation, "reservation=%d", ev.ReservationID)
	add(ev.PhasesUsed >= 0, "phases=%d", ev.PhasesUsed)
	add(ev.CableMax != 0, "cable=%s", amps(ev.CableMax))
	add(ev.ChargingTime > 0, "time=%s", seconds(ev.ChargingTime))
	add(len(ev.Values) > 0, "%s", describeValues(ev.Values))
	return s
}

func describeValues(vs []term.MeterValue) string {
	var all []string
	for _, v := range vs {
		s := v.At.Format("15:04:05.000")
		for i, sv := range v.Sampled {
			if i == 0 {
				s += " " + sv.Context.String()
			}
			name := strings.NewReplacer("Energy.Active.Import.Register", "import", "Power.Active.Import", "power").Replace(sv.Measurand.String())
			s += " " + name + choose(sv.Phase != term.PhaseNone, "/"+sv.Phase.String(), "") + "=" + string(unit.AppendMilli(nil, sv.Value)) + sv.Measurand.Unit()
		}
		if r := v.Signed; r != nil {
			s += fmt.Sprintf(" signed %s %q", r.EncodingMethod, r.Data) + choose(r.PublicKey != nil, fmt.Sprintf(" key %x", r.PublicKey), "")
		}
		all = append(all, s)
	}
	return "[" + strings.Join(all, "; ") + "]"
}

func describeResponse(r station.Response) string {
	if r.Error != nil {
		return fmt.Sprintf("error %s: %s", r.Error.Code, r.Error.Description)
	}
	switch body := r.Body.(type) {
	case station.Status:
		return describeStatus(body)
	case station.StartStatus:
		return describeStatus(body.Status) + choose(body.Transaction != "", " transaction="+string(body.Transaction), "")
	case station.Log:
		return describeStatus(body.Status) + choose(body.File != "", " file="+body.File, "")
	case station.Variables:
		var all []string
		for _, v := range body.Results {
			all = append(all, fmt.Sprintf("%s/%s=%s %s", v.Component, v.Variable, v.Value, v.Status))
		}
		return strings.Join(all, ", ")
	case station.VariablesSet:
		var all []string
		for _, v := range body.Results {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s/%s %s %s", v.Component, v.Variable, v.Status, v.Reason)))
		}
		return strings.Join(all, ", ")
	case station.LocalListVersion:
		return fmt.Sprintf("version %d", body.Version)
	case station.TransactionStatus:
		return fmt.Sprintf("ongoing=%s queued=%t", choose(body.HasOngoing, fmt.Sprint(body.Ongoing), "-"), body.Queued)
	case station.Inventory:
		return fmt.Sprintf("%d rows", len(body.Rows))
	case station.CompositeSchedule:
		return describeComposite(body)
	case station.InstalledCertificates:
		return describeCertificates(body)
	case station.DiagnosticState:
		return describeState(body)
	}
	return fmt.Sprintf("%T", r.Body)
}

func describeStatus(s station.Status) string {
	return strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{s.Status, s.Reason, choose(s.Info != "", "("+s.Info+")", "")},
		func(w string) bool { return w == "" }), " "))
}

func describeState(d station.DiagnosticState) string {
	s := fmt.Sprintf("%s connected=%t boots=%d", choose(d.Registration == "", "unregistered", string(d.Registration)), d.Connected, d.Boots)
	for _, e := range d.EVSEs {
		s += fmt.Sprintf("; evse %d %s%s %s %s", e.ID, choose(e.Operative, "operative", "inoperative"),
			choose(e.Transaction != "", " "+string(e.Transaction), ""), e.State, amps(e.Limit))
		s += choose(e.LimitBy != "", " by "+e.LimitBy, "")
		s += choose(e.Refusal != "", " refused="+e.Refusal, "")
		if e.Reserved {
			s += fmt.Sprintf(" reservation=%d", e.Reservation)
		}
		for _, c := range e.Connectors {
			s += fmt.Sprintf(" %d=%s", c.ID, c.Status)
			for _, f := range c.Faults {
				s += "!" + f.String()
			}
		}
	}
	return s
}
