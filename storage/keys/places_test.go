package keys

import "testing"

func TestPlaces(t *testing.T) {
	for _, test := range []struct{ spec, device, file string }{
		{"file", "", ""},
		{"file?key=/run/board/key", "", "/run/board/key"},
		{"tpm:/dev/tpmrm0?pcr=7", "/dev/tpmrm0", ""},
		{"tpm:unix:/run/swtpm", "", ""},
	} {
		device, file, err := Places(test.spec)
		if err != nil || device != test.device || file != test.file {
			t.Errorf("%s: %q, %q, %v", test.spec, device, file, err)
		}
	}
	if _, _, err := Places("tpm:relative"); err == nil {
		t.Error("what is no key store has a place")
	}
}
