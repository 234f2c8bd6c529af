//go:build !sftp

package transfer

import (
	"errors"
	"strings"
	"testing"
)

// What this build does not speak is refused by name.
func TestNoSFTP(t *testing.T) {
	var m memory
	for what, err := range map[string]error{"get": new(Client).Get(t.Context(), "sftp://user:secret@files.test/x", &m), "put": new(Client).Put(t.Context(), "sftp://user:secret@files.test/", log)} {
		if !errors.Is(err, ErrScheme) || !strings.Contains(err.Error(), "sftp") {
			t.Errorf("%s: %v", what, err)
		}
		quiet(t, err)
	}
}
