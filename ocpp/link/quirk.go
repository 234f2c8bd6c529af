package link

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/evsed/evsed/ocpp/rpc"
)

// Quirks are deviations from OCPP that some CSMS needs, chosen by the fitter: OCPPCommCtrlr.CSMSQuirks. None is on by
// itself, and none changes what is kept: a CSMS that is mended hears what it should have heard.
type Quirks uint16

// The quirks. QuirkTable says what each does.
const (
	ErrorCodes2x Quirks = 1 << iota
	WholeSeconds
	PlainAuthorizationKey
	BootOnReconnect
	StatusOnReconnect
	ReusedMessageIds
	UUIDMessageIds
	SilentSubprotocol
	FullURL
	LegacyTLSCiphers
)

// Quirk is one row of the table.
type Quirk struct {
	Name string // as it is configured
	Bit  Quirks
	What string // does the station do, and for whom
}

// QuirkTable holds every quirk, sorted by name. The device model allows these names and no others.
var QuirkTable = [...]Quirk{
	{"BootOnReconnect", BootOnReconnect, "a BootNotification begins every connection, for a CSMS that forgets its stations with the socket"},
	{"ErrorCodes2x", ErrorCodes2x, "error codes are spelt as in 2.x also in 1.6, for a CSMS that knows FormatViolation but not FormationViolation"},
	{"FullURL", FullURL, "the URL of the network profile is used as it is, for a CSMS whose address names the station already"},
	{"LegacyTLSCiphers", LegacyTLSCiphers, "suites of TLS 1.2 without forward secrecy are offered too (TLS_RSA_WITH_AES_…_GCM), for a CSMS that knows no others of those that OCPP names"},
	{"PlainAuthorizationKey", PlainAuthorizationKey, "an AuthorizationKey of hexadecimal digits is sent as these digits, not as the bytes that they mean"},
	{"ReusedMessageIds", ReusedMessageIds, "a request with the id of one that was answered is a new request, for a CSMS that numbers them all 1"},
	{"SilentSubprotocol", SilentSubprotocol, "a CSMS that names no subprotocol in its handshake speaks the last one that was offered"},
	{"StatusOnReconnect", StatusOnReconnect, "every connector's status is told on every connection, for a CSMS that shows a station as unknown after a cut"},
	{"UUIDMessageIds", UUIDMessageIds, "message ids have the form of a UUID, for a CSMS that keeps them in a column for UUIDs"},
	{"WholeSeconds", WholeSeconds, "times are told without a fraction of the second, for a CSMS that cannot read one"},
}

// ParseQuirks returns the quirks with these names. Unknown ones are none: the device model refuses them when they are set.
func ParseQuirks(names []string) Quirks {
	var q Quirks
	for i := range QuirkTable {
		if slices.Contains(names, QuirkTable[i].Name) {
			q |= QuirkTable[i].Bit
		}
	}
	return q
}

func (q Quirks) has(x Quirks) bool { return q&x != 0 }

// code spells an error code for a CSMS that speaks v.
func (q Quirks) code(c rpc.ErrorCode, v rpc.Version) rpc.ErrorCode {
	if q.has(ErrorCodes2x) {
		return c.Canonical()
	}
	return c.In(v)
}

// HexPassword marks a password that is given by hexadecimal digits, as the AuthorizationKey of OCPP 1.6 is (OCPP-J 1.6,
// 6.2.2): "hex:" and 32 to 40 digits. What goes over the wire are the bytes that they mean.
const HexPassword = "hex:"

// password returns what is sent of a configured password.
func (q Quirks) password(p string) string {
	digits, marked := strings.CutPrefix(p, HexPassword)
	if !marked {
		return p
	}
	if b, err := hex.DecodeString(digits); err == nil && !q.has(PlainAuthorizationKey) {
		return string(b)
	}
	return digits
}

// messageID returns the id with a number. Prefixes that differ give ids that differ.
func (q Quirks) messageID(prefix string, serial uint64) string {
	if !q.has(UUIDMessageIds) {
		return prefix + strconv.FormatUint(serial, 10)
	}
	h := fnv.New64a()
	h.Write([]byte(prefix))
	n := h.Sum64()
	return fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", n>>32, n>>16&0xffff, n>>4&0xfff, n&0xf, serial&(1<<48-1))
}

// payload returns a payload as it goes out; it may be changed in place.
func (q Quirks) payload(p []byte) []byte {
	if !q.has(WholeSeconds) {
		return p
	}
	return wholeSeconds(p)
}

// wholeSeconds takes the fraction out of every string of a JSON text that is a time as we write it, in place.
func wholeSeconds(p []byte) []byte {
	const whole, fraction = len(`"2006-01-02T15:04:05`), len(`.000`)
	out := p[:0]
	for i := 0; i < len(p); i++ {
		if p[i] == '"' && isTime(p[i:]) {
			out = append(out, p[i:i+whole]...)
			i += whole + fraction - 1
			continue
		}
		out = append(out, p[i])
	}
	return out
}

// isTime tells whether p begins with "2006-01-02T15:04:05.000Z" in its quotes.
func isTime(p []byte) bool {
	const form = `"0000-00-00T00:00:00.000Z"`
	if len(p) < len(form) {
		return false
	}
	for i := range len(form) {
		digit := p[i]-'0' <= 9
		if form[i] == '0' && !digit || form[i] != '0' && form[i] != p[i] {
			return false
		}
	}
	return true
}
