package main

import (
	"fmt"
	"io"
	"strings"
)

// section is one table of the report with what was to be reached in it.
type section struct {
	title string
	about string // how it was measured
	head  []string
	rows  [][]string
	goals []goal
	notes []string
}

// goal is a number that was aimed at.
type goal struct {
	what, want, got string
	reached         bool
}

func (s *section) row(cells ...string) { s.rows = append(s.rows, cells) }

func (s *section) goal(reached bool, what, want, format string, args ...any) {
	s.goals = append(s.goals, goal{what, want, fmt.Sprintf(format, args...), reached})
}

func (s *section) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func (g goal) verdict() string {
	if g.reached {
		return "reached"
	}
	return "NOT reached"
}

// write prints a section as Markdown with aligned columns: readable in a terminal too.
func (s *section) write(w io.Writer) {
	fmt.Fprintf(w, "\n## %s\n\n", s.title)
	if s.about != "" {
		fmt.Fprintf(w, "%s\n\n", s.about)
	}
	writeTable(w, s.head, s.rows)
	if len(s.goals) > 0 {
		fmt.Fprintln(w)
		writeGoals(w, s.goals)
	}
	for _, n := range s.notes {
		fmt.Fprintf(w, "\n%s\n", n)
	}
}

func writeGoals(w io.Writer, goals []goal) {
	rows := make([][]string, len(goals))
	for i, g := range goals {
		rows[i] = []string{g.what, g.want, g.got, g.verdict()}
	}
	writeTable(w, []string{"goal", "wanted", "got", ""}, rows)
}

func writeTable(w io.Writer, head []string, rows [][]string) {
	width := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			fmt.Fprintf(w, "| %s%s ", cell, strings.Repeat(" ", width[i]-len([]rune(cell))))
		}
		fmt.Fprintln(w, "|")
	}
	line(head)
	for i := range head {
		fmt.Fprintf(w, "|%s", strings.Repeat("-", width[i]+2))
	}
	fmt.Fprintln(w, "|")
	for _, row := range rows {
		line(row)
	}
}
