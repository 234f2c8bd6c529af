package boards

import (
	"fmt"
	"io"
	"strings"
)

// WriteRules writes a line for each code.
func WriteRules(w io.Writer) {
	for _, r := range rules {
		fmt.Fprintf(w, "%s %-5s %s\n", r.Code, r.Severity, r.Title)
	}
	for _, code := range retired {
		fmt.Fprintf(w, "%s       retired: no finding has it any more\n", code)
	}
}

// WriteRule explains a code.
func WriteRule(w io.Writer, r Rule) {
	fmt.Fprintf(w, "%s (%s): %s\ncause: %s\ncure:  %s\n", r.Code, r.Severity, r.Title, r.Cause, r.Cure)
}

// WriteKeys writes the keys of all files with what they mean.
func WriteKeys(w io.Writer) {
	table.each("", func(path string, k *key) {
		fmt.Fprintf(w, "%-42s %s%s\n%42s %s\n", path, k.summary(), k.marks(), "", k.about)
	})
}

// each calls f for every key that a file may have, parents first.
func (k *key) each(path string, f func(path string, k *key)) {
	for i := range k.keys {
		m := &k.keys[i]
		if m.gone != "" {
			continue
		}
		p := join(path, m.name)
		switch m.kind {
		case kindDict:
			p += ".NAME"
		case kindMaps:
			p += "[ID]"
		}
		f(p, m)
		m.each(p, f)
	}
}

// summary says in few words what a value of the key is.
func (k *key) summary() string {
	switch k.kind {
	case kindWord:
		return strings.Join(k.words, " | ")
	case kindWords:
		return strings.Join(k.words, " | ") + ", or a list of them"
	case kindInt:
		return fmt.Sprintf("%d to %d", k.least, k.most)
	case kindQuantity:
		if k.least == 0 && k.most == 0 {
			return fmt.Sprintf("%s, like %s", k.q.name, k.q.about)
		}
		return fmt.Sprintf("%s, %s to %s", k.q.name, k.q.show(k.least), k.q.show(k.most))
	case kindMap:
		if k.orMCU {
			return "map, or mcu"
		}
		return "map"
	case kindDict:
		return "maps by name"
	case kindMaps:
		return "list of maps"
	case kindLines:
		return "list of lines"
	}
	return k.want()
}

// marks says whether a key is needed, and what later layers may do.
func (k *key) marks() string {
	var marks []string
	if k.need {
		marks = append(marks, "needed")
	}
	switch {
	case k.in == inProduct:
		marks = append(marks, "product file")
	case k.rule != ruleFixed:
		marks = append(marks, "product and site may "+ruleNames[k.rule])
	}
	if marks == nil {
		return ""
	}
	return " (" + strings.Join(marks, "; ") + ")"
}
