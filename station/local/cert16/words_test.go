package cert16_test

import (
	"fmt"
	"sync"
	"time"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station/local/cases"
)

// subprotocol is what a station of 1.6J asks for.
const subprotocol = "ocpp1.6"

// words are those of 1.6, of a Central System that knows some cards and counts transactions.
type words struct {
	tags map[string]obj // idTagInfo by idTag; others are Invalid

	mu     sync.Mutex // everything below
	lastTx int
}

func newWords() *words {
	info := func(status string) obj { return obj{"status": status} }
	return &words{tags: map[string]obj{"TAG1": info("Accepted"), "TAG2": info("Accepted"), "EXPIRED": info("Expired"), "BLOCKED": info("Blocked"),
		"CHILD1": {"status": "Accepted", "parentIdTag": "PARENT"}, "CHILD2": {"status": "Accepted", "parentIdTag": "PARENT"}}}
}

func (*words) Subprotocol() string { return subprotocol }

func (*words) Sends(action string) bool {
	info, known := msg16.Lookup(action)
	return known && info.From&msg16.FromStation != 0
}

func (*words) Decode(action string, request bool, payload []byte) error {
	m, known := msg16.NewResponse(action)
	if request {
		m, known = msg16.NewRequest(action)
	}
	if !known {
		return fmt.Errorf("no message %s", action)
	}
	var b rpc.Body
	b.Reset(string(payload), rpc.Limits{})
	return msg16.Decode(&b, m)
}

func (w *words) Usual(h *cases.Heard) obj {
	now := time.Now().UTC().Format(time.RFC3339)
	switch h.Action {
	case "BootNotification":
		return obj{"status": "Accepted", "currentTime": now, "interval": 86400}
	case "Heartbeat":
		return obj{"currentTime": now}
	case "Authorize":
		return obj{"idTagInfo": w.info(h.Body)}
	case "StartTransaction":
		return obj{"idTagInfo": w.info(h.Body), "transactionId": w.count(w.last() + 1)}
	case "StopTransaction":
		if _, told := h.Body["idTag"]; told {
			return obj{"idTagInfo": w.info(h.Body)}
		}
	case "DataTransfer", "SignCertificate":
		return obj{"status": "Accepted"}
	}
	return obj{}
}

func (*words) Stream(h *cases.Heard) string {
	if h.Action == "StatusNotification" || h.Action == "MeterValues" {
		return h.Action + " " + fmt.Sprint(h.Body["connectorId"])
	}
	return h.Action
}

func (w *words) info(body obj) obj {
	tag, _ := body["idTag"].(string)
	if i, known := w.tags[tag]; known {
		return i
	}
	return obj{"status": "Invalid"}
}

// last is the id of the last transaction.
func (w *words) last() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lastTx
}

// count makes n the id of the last transaction, and returns it.
func (w *words) count(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastTx = n
	return n
}
