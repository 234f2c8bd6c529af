package peertest

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// SayYes16 returns what SayYes is for 1.6. It numbers the transactions from 1; one that is told again keeps its number.
func SayYes16() Decide {
	var mu sync.Mutex // guards numbers
	numbers := map[string]int{}
	return func(action, payload string) string {
		if action != "StartTransaction" {
			return sayYes16(action, payload)
		}
		mu.Lock()
		defer mu.Unlock()
		begin := beginOf(payload)
		if numbers[begin] == 0 {
			numbers[begin] = len(numbers) + 1
		}
		return fmt.Sprintf(`{"transactionId":%d,"idTagInfo":%s}`, numbers[begin], tagInfo(payload))
	}
}

func sayYes16(action, payload string) string {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	switch action {
	case "BootNotification":
		return fmt.Sprintf(`{"currentTime":"%s","interval":300,"status":"Accepted"}`, now)
	case "Heartbeat":
		return fmt.Sprintf(`{"currentTime":"%s"}`, now)
	case "Authorize":
		return fmt.Sprintf(`{"idTagInfo":%s}`, tagInfo(payload))
	case "DataTransfer", "SignCertificate":
		return `{"status":"Accepted"}`
	}
	return `{}`
}

func tagInfo(payload string) string {
	var request struct{ IdTag string }
	_ = json.Unmarshal([]byte(payload), &request) // the peer has checked it
	if strings.HasPrefix(request.IdTag, Unwelcome) {
		return `{"status":"Invalid"}`
	}
	return `{"status":"Accepted"}`
}

// beginOf is what tells one begin of a transaction from another.
func beginOf(payload string) string {
	var request struct {
		ConnectorID      int
		IdTag, Timestamp string
		MeterStart       int
	}
	_ = json.Unmarshal([]byte(payload), &request) // the peer has checked it
	return fmt.Sprint(request)
}
