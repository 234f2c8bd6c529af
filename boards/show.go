package boards

import (
	"fmt"
	"io"
	"strings"

	"github.com/evsed/evsed/station/local/strict"
)

// Count says how many findings of each severity there are.
func Count(fs []Finding) string {
	var n [Error + 1]int
	for _, f := range fs {
		n[f.Severity]++
	}
	if len(fs) == 0 {
		return "no findings"
	}
	text := plural(n[Error], "error") + ", " + plural(n[Warning], "warning")
	if n[Info] > 0 {
		text += fmt.Sprintf(", %d for information", n[Info])
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Describe writes what the board is, each of its values and the line that says so.
func (b *Board) Describe(w io.Writer) {
	fmt.Fprintf(w, "%s of %s", b.Identity.Model, b.Identity.Vendor)
	if b.Identity.Revision != "" {
		fmt.Fprintf(w, ", revision %s", b.Identity.Revision)
	}
	fmt.Fprintf(w, "   %d x %s, %s for each line\n", b.Supply.Phases, b.Supply.Voltage, b.Supply.MaxCurrent)
	for i := range b.EVSEs {
		fmt.Fprintln(w, b.EVSEs[i].describe())
	}
	for _, f := range b.Safety.functions() {
		if len(*f.owners) > 0 {
			fmt.Fprintf(w, "%-16s by %s\n", f.name, ownersText(*f.owners))
		}
	}
	fmt.Fprintln(w)
	width := 0
	for _, s := range b.settings {
		width = max(width, len(s.Path))
	}
	for _, s := range b.settings {
		fmt.Fprintf(w, "%-*s  %s  <- %s\n", width, s.Path, s.Text, s.origin())
	}
}

// Explain says what the value of a key is and which lines of which files say so.
func (b *Board) Explain(path string) (string, error) {
	s, ok := b.Origin(path)
	if ok {
		return fmt.Sprintf("%s  <- %s", s.Text, s.origin()), nil
	}
	var names []string
	for _, s := range b.settings {
		names = append(names, s.Path)
	}
	if near := strict.Nearest(path, names); near != "" {
		return "", fmt.Errorf("no value %q: did you mean %q?", path, near)
	}
	return "", fmt.Errorf("no value %q: evsed board show lists them", path)
}

// origin says where a value stands, and what it tightened.
func (s *Setting) origin() string {
	text := fmt.Sprintf("%s (%s)", s.Where, s.Where.Layer)
	for o := s.Over; o != nil; o = o.Over {
		text += fmt.Sprintf("; %s in %s (%s)", o.Text, o.Where, o.Where.Layer)
	}
	return text
}

func ownersText(owners []Owner) string {
	var words []string
	for _, o := range owners {
		words = append(words, o.String())
	}
	return strings.Join(words, " and ")
}

func (e *EVSE) describe() string {
	kind := fmt.Sprintf("%d lines, at most %s", e.Phases, e.MaxCurrent)
	if e.DC {
		kind = fmt.Sprintf("DC, at most %s", e.MaxCurrent)
	}
	text := fmt.Sprintf("EVSE %d   %s, %s", e.ID, e.Connector.Type, kind)
	if e.MCU != "" {
		text += fmt.Sprintf(", at MCU %s port %d", e.MCU, e.Port)
	}
	if _, why := e.Serves(); why != "" {
		text += "   DOES NOT CHARGE: " + why
	}
	return text
}
