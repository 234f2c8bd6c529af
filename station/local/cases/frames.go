package cases

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// framesFolder names the variable of the environment with the folder for the frames of each case.
const framesFolder = "EVSED_FRAMES"

// frame is a message of the station.
type frame struct {
	action  string
	request bool
	payload string
}

// keepFrames leaves the frames of a case where the environment says.
func (b *Bench) keepFrames() {
	dir := os.Getenv(framesFolder)
	if dir == "" {
		return
	}
	var out strings.Builder
	for _, f := range b.frames {
		line, err := json.Marshal(map[string]any{"version": b.Words.Subprotocol(), "action": f.action, "request": f.request, "payload": json.RawMessage(f.payload)})
		if err != nil {
			b.Error(err)
			return
		}
		out.Write(append(line, '\n'))
	}
	name := strings.NewReplacer("/", "-", " ", "-").Replace(b.Name()) + "." + b.Words.Subprotocol() + ".jsonl"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(out.String()), 0o600); err != nil {
		b.Error(err)
	}
}
