package station

import (
	"encoding/json"

	"github.com/evsed/evsed/station/term"
)

// customerInformation reports or clears what is stored about a customer: the authorization cache and reservations. Nothing
// else that names a token survives its transaction (N09, N10).
func (s *Station) customerInformation(id RequestID, r CustomerInformation) {
	given := 0
	for _, g := range []bool{!r.Token.IsZero(), r.Identifier != "", r.HasCert} {
		if g {
			given++
		}
	}
	switch {
	case given != 1: // N09.FR.09
		s.answer(id, Status{Status: "Invalid", Reason: "InvalidValue", Info: "want one of idToken, customerIdentifier, customerCertificate"})
		return
	case !r.Report && !r.Clear:
		s.answer(id, Status{Status: "Rejected", Reason: "InvalidValue", Info: "neither report nor clear is asked for"})
		return
	}
	s.answer(id, accepted())
	data := ""
	if !r.Token.IsZero() {
		data = s.customerData(r)
	}
	if data == "" {
		data = noCustomerData
	}
	s.tellCustomer(r.RequestID, data)
}

// maxCustomerData is the most that one part tells, in characters (NotifyCustomerInformationRequest.data).
const maxCustomerData = 512

// noCustomerData says that nothing is stored (N09.FR.06); an empty text is refused by CSMSs that hold data for required.
const noCustomerData = "no data"

// tellCustomer tells what is known, in as many parts as it takes.
func (s *Station) tellCustomer(requestID int, data string) {
	at, rest := s.wall(), []rune(data)
	for seq := 0; ; seq++ {
		n := min(len(rest), maxCustomerData)
		s.report(Now, "", NotifyCustomerInformation{RequestID: requestID, GeneratedAt: at, SeqNo: seq, More: n < len(rest), Data: string(rest[:n])})
		if rest = rest[n:]; len(rest) == 0 {
			return
		}
	}
}

func (s *Station) customerData(r CustomerInformation) string {
	info, ok := s.auth.Cache.Get(s.wall(), r.Token, s.settings.auth)
	reserved := s.reservationsOf(r.Token)
	if r.Clear {
		s.cacheChanges(s.auth.Cache.Forget(nil, r.Token))
		for _, id := range reserved {
			s.endReservation(id, reservationRemoved)
		}
		s.out.MustSync = true
	}
	if !r.Report || !ok && len(reserved) == 0 {
		return ""
	}
	known := struct {
		Cache    string           `json:"authorizationCache,omitempty"`
		Group    string           `json:"groupIdToken,omitempty"`
		Status   term.TokenStatus `json:"status,omitempty"`
		Reserved []int            `json:"reservations,omitempty"`
	}{Reserved: reserved}
	if ok {
		known.Cache, known.Group, known.Status = r.Token.Value, info.Group.Value, info.Status
	}
	b, err := json.Marshal(known)
	if err != nil {
		panic("station: " + err.Error())
	}
	return string(b)
}
