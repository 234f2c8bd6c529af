package main

import (
	"fmt"
	"strings"
)

// Generate returns the page for the tests and figures below root.
func Generate(root string) (string, error) {
	if err := check(root, append(append(append([]Row{}, Faults...), Weaknesses...), Invariants...)); err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Robustness: what is shown, by which test\n\n")
	b.WriteString("Written by `go run ./scripts/robustness` from its table and from the figures of the rigs; do not edit. Every test that is\n")
	b.WriteString("named here exists, or `make check` fails. Tests that are named without more run in `make test`, in virtual time where time\n")
	b.WriteString("matters; the rigs run longer when they are asked to.\n\n")
	total, shown, later := 0, 0, 0
	for _, r := range append(append([]Row{}, Faults...), Weaknesses...) {
		total++
		if len(r.Tests) > 0 {
			shown++
		} else {
			later++
		}
	}
	fmt.Fprintf(&b, "Of %d faults and weaknesses, %d have tests and %d wait for what is not built yet.\n", total, shown, later)
	section(&b, "Faults", "What goes wrong, and what the station does then.", "fault", "the station", Faults)
	section(&b, "Weaknesses of other stations", "What has been found wrong with charging stations in the field, and what keeps it out of this one.", "weakness", "the station", Weaknesses)
	section(&b, "Invariants", "What holds at every step, whatever happens, and where that is checked.", "invariant", "held", Invariants)
	if err := figures(&b, root); err != nil {
		return "", err
	}
	return b.String(), nil
}

func section(b *strings.Builder, title, about, kind, asks string, rows []Row) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| | %s | %s | shown by |\n|---|---|---|---|\n", title, about, kind, asks)
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.ID, r.What, r.Asks, r.shown())
	}
}

// shown names the tests of a row, and what waits.
func (r Row) shown() string {
	var parts []string
	for _, t := range r.Tests {
		dir, names, _ := cut(t)
		parts = append(parts, fmt.Sprintf("%s: %s", dir, strings.Join(names, ", ")))
	}
	if r.Later != "" {
		parts = append(parts, "*not yet: "+r.Later+"*")
	}
	return strings.Join(parts, "<br>")
}

func figures(b *strings.Builder, root string) error {
	unknown, err := strays(root, Rigs)
	if err != nil {
		return err
	}
	if len(unknown) > 0 {
		return fmt.Errorf("%s: figures of no rig of the table: %s", Figures, strings.Join(unknown, ", "))
	}
	b.WriteString("\n## Figures\n\nMeasured by the rigs. With `EVSED_FIGURES=$PWD/docs/robustness` before the command that is given they are kept there, and `make docs` writes this page anew.\n")
	for _, r := range Rigs {
		fmt.Fprintf(b, "\n### %s\n\n%s\n\n    %s\n\n", r.Name, r.What, r.Run)
		all, err := r.read(root)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			b.WriteString("Not measured yet.\n")
			continue
		}
		b.WriteString("| figure | value | unit | meaning |\n|---|---:|---|---|\n")
		for _, f := range all {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f[0], f[1], f[2], f[3])
		}
	}
	return nil
}
