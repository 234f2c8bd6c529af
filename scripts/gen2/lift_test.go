package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestLiftRefuses shows that what has no name, or the name of something else, stops the generator.
func TestLiftRefuses(t *testing.T) {
	tests := []struct{ name, properties, want string }{
		{"enumeration without a name", `{"mood":{"type":"string","enum":["A"]}}`, "XRequest.mood: no name"},
		{"object without a name", `{"thing":{"type":"object"}}`, "XRequest.thing: no name"},
		{"list of them", `{"things":{"type":"array","items":{"type":"object"}}}`, "XRequest.things: no name"},
		{"within a part", `{"idTagInfo":{"type":"object","properties":{"mood":{"type":"string","enum":["A"]}}}}`, "IdTagInfo.mood: no name"},
		{"two shapes of one name", `{"chargingProfile":{"type":"object"},"csChargingProfiles":{"type":"object","properties":{"a":{"type":"integer"}}}}`,
			"XRequest.csChargingProfiles: ChargingProfile is said in two ways"},
		{"two enumerations of one name", `{"reason":{"type":"string","enum":["A"]},"chargingSchedule":{"type":"object","properties":{"reason":{"type":"string","enum":["B"]}}}}`,
			"ChargingSchedule.reason: Reason is said in two ways"},
	}
	for _, tt := range tests {
		if err := lifted(t, tt.properties).lift(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

// TestTablesRefuse shows that what the tables have no column for stops the generator.
func TestTablesRefuse(t *testing.T) {
	for name, properties := range map[string]string{
		"most elements":  `{"a":{"type":"array","items":{"type":"string"},"maxItems":65536}}`,
		"least elements": `{"a":{"type":"array","items":{"type":"string"},"minItems":65536}}`,
		"least number":   `{"a":{"type":"integer","minimum":-2147483648}}`, "greatest number": `{"a":{"type":"number","maximum":2147483647}}`,
		"truths": `{"a":{"type":"array","items":{"type":"boolean"}}}`,
		"times":  `{"a":{"type":"array","items":{"type":"string","format":"date-time"}}}`,
	} {
		all := lifted(t, properties)
		if _, err := merge(dialects["msg16"], all, all); err == nil || !strings.Contains(err.Error(), "XRequest.a") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func lifted(t *testing.T, properties string) *set {
	s := schema{Type: "object"}
	if err := json.Unmarshal([]byte(properties), &s.Properties); err != nil {
		t.Fatal(err)
	}
	return &set{messages: map[string]schema{"XRequest": s}, definitions: map[string]schema{}}
}
