package floors

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Modules lists what the product links, one "path version" a line and sorted:
// the modules behind the packages that pattern needs on the smallest target,
// with the tags of the shipped binary. root is the folder of go.mod.
func Modules(root, pattern string) (string, error) {
	cmd := exec.Command("go", "list", "-deps", "-tags", "nethttpomithttp2",
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{with .Replace}} => {{.Path}} {{.Version}}{{end}}{{end}}{{end}}", pattern)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm", "GOARM=7", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go list %s: %w: %s", pattern, err, strings.TrimSpace(stderr.String()))
	}
	return lines(string(out)), nil
}

// lines sorts text by line and drops repeats and empty ones.
func lines(text string) string {
	all := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 0 {
		return ""
	}
	return strings.Join(all, "\n") + "\n"
}
