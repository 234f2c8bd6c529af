package boards

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/evsed/evsed/station/local/strict"
)

//go:embed *.yaml
var shipped embed.FS

// Shipped returns the names of the files that come with the program, in their order.
func Shipped() []string {
	names, _ := fs.Glob(shipped, "*.yaml") // the pattern is right
	for i, n := range names {
		names[i] = strings.TrimSuffix(n, ".yaml")
	}
	return names
}

// Starter returns a shipped file, with its comments.
func Starter(name string) ([]byte, error) {
	b, err := shipped.ReadFile(name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("no shipped file %q: want %s", name, strict.Words(name, Shipped()))
	}
	return b, nil
}

// ShippedAbout is the first sentence of a shipped file.
func ShippedAbout(name string) string {
	b, err := Starter(name)
	if err != nil {
		return ""
	}
	for _, line := range strings.Split(string(b), "\n") {
		text, comment := strings.CutPrefix(line, "# ")
		if comment && !strings.HasPrefix(text, "yaml-language-server") {
			first, _, _ := strings.Cut(text, ". ")
			return strings.TrimSuffix(first, ".")
		}
	}
	return ""
}
