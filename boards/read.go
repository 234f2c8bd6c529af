package boards

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/evsed/evsed/station/local/strict"
)

// Bounds of a file.
const (
	MaxFile     = 64 << 10 // bytes
	maxText     = 400      // characters of a value
	maxFindings = 100      // of all files together
)

// reader reads one file. It keeps every finding and goes on behind it.
type reader struct {
	file     string
	layer    Layer
	findings []Finding
}

func (r *reader) find(n *yaml.Node, code, text, cure string) {
	if len(r.findings) < maxFindings {
		r.findings = append(r.findings, Finding{File: r.file, Line: n.Line, Column: n.Column, Code: code, Severity: severityOf(code), Text: text, Cure: cure})
	}
}

// document reads a file into values. nil: it is not readable at all.
func (r *reader) document(data []byte) *value {
	n := r.parse(data)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.find(n, "BRD-106", "the document is "+kindOf(n), "begin with schema: evse.board/1 and further keys")
		return nil
	}
	if !r.plain(n, 0) || !r.schema(n) {
		return nil
	}
	return r.value(n, &table, "")
}

// syntax is how the parser tells where it stopped.
var syntax = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parse reads YAML into nodes.
func (r *reader) parse(data []byte) (doc *yaml.Node) {
	top := &yaml.Node{Line: 1, Column: 1}
	if len(data) > MaxFile {
		r.find(top, "BRD-100", fmt.Sprintf("more than %d bytes", MaxFile), "a board file is a few kilobytes")
		return nil
	}
	if !utf8.Valid(data) {
		r.find(top, "BRD-100", "not UTF-8", "save the file as UTF-8")
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var n, second yaml.Node
	err := d.Decode(&n)
	if errors.Is(err, io.EOF) || err == nil && len(n.Content) == 0 {
		r.find(top, "BRD-100", "the file is empty", "begin with schema: evse.board/1 and further keys")
		return nil
	}
	if err == nil {
		if err2 := d.Decode(&second); err2 == nil {
			r.find(&second, "BRD-101", "a second document", "one file is one document: put it into a file of its own")
			return nil
		} else if !errors.Is(err2, io.EOF) {
			err = err2
		}
	}
	if err != nil {
		m := syntax.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
		if m == nil {
			m = []string{"", "", err.Error()}
		}
		if line, e := strconv.Atoi(m[1]); e == nil {
			top.Line = line
		}
		r.find(top, "BRD-100", "not YAML: "+m[2], "mind indents, colons and quotes in this line and the one above")
		return nil
	}
	return n.Content[0]
}

// plain refuses what YAML can do and a board file does not need.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	ok := true
	bad := func(what, cure string) {
		r.find(n, "BRD-101", what, cure)
		ok = false
	}
	switch {
	case depth > maxDepth:
		bad(fmt.Sprintf("more than %d levels deep", maxDepth), "no key of a board file is")
		return false
	case n.Kind == yaml.AliasNode:
		bad("an alias (*"+clip(n.Value)+")", "write the value out")
		return false
	case n.Anchor != "":
		bad("an anchor (&"+clip(n.Anchor)+")", "leave it out: nothing can refer to it")
	case n.Style&yaml.TaggedStyle != 0:
		bad("a tag ("+clip(n.Tag)+")", "leave it out: each key has its own kind of value")
	case n.Kind == yaml.ScalarNode && (n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(n.Value, "\n\r")):
		bad("a value of several lines", "write it in one")
	case n.Kind == yaml.ScalarNode && utf8.RuneCountInString(n.Value) > maxText:
		bad(fmt.Sprintf("a value of more than %d characters", maxText), "")
	}
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 && c.Tag == "!!merge" {
			r.find(c, "BRD-101", "a merge key (<<)", "write the keys out")
			return false
		}
		ok = r.plain(c, depth+1) && ok
	}
	return ok
}

const maxDepth = 12

// schema finds out which layer the file is.
func (r *reader) schema(n *yaml.Node) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "schema" {
			continue
		}
		for l := LayerBoard; l <= LayerSite; l++ {
			if n.Content[i+1].Value == schemas[l] {
				r.layer = l
				return true
			}
		}
		r.find(n.Content[i+1], "BRD-103", fmt.Sprintf("schema %q", clip(n.Content[i+1].Value)), "want evse.board/1, evse.product/1 or evse.site/1")
		return false
	}
	r.find(n, "BRD-103", "no schema", "begin with schema: evse.board/1, evse.product/1 or evse.site/1")
	return false
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return strconv.Quote(clip(n.Value))
}

func clip(s string) string {
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + "..."
	}
	return s
}

const maxShown = 40

// value reads a node by its key; nil if it does not fit.
func (r *reader) value(n *yaml.Node, k *key, path string) *value {
	v := &value{key: k, path: path, where: Origin{File: r.file, Line: n.Line, Column: n.Column, Layer: r.layer}}
	ok := false
	switch k.kind {
	case kindMap:
		ok = r.members(v, n)
	case kindDict:
		ok = r.dict(v, n)
	case kindMaps:
		ok = r.maps(v, n)
	case kindTexts, kindLines:
		ok = r.list(v, n)
	case kindWords:
		ok = r.words(v, n)
	case kindRange:
		ok = r.span(v, n)
	case kindSteps:
		ok = r.stepped(v, n)
	case kindLine:
		ok = r.line(v, n)
	default:
		ok = r.scalar(v, n)
	}
	if !ok {
		return nil
	}
	return v
}

// of refuses a node of another kind than want.
func (r *reader) of(n *yaml.Node, want yaml.Kind, what string) bool {
	if n.Kind != want {
		r.find(n, "BRD-106", kindOf(n), "want "+what)
	}
	return n.Kind == want
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// pairs calls f for each pair of a map whose keys are plain and given once.
func (r *reader) pairs(n *yaml.Node, f func(name, val *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		if name.Kind != yaml.ScalarNode {
			r.find(name, "BRD-106", "a key that is "+kindOf(name), "want a word")
			continue
		}
		if line, twice := seen[name.Value]; twice {
			r.find(name, "BRD-102", fmt.Sprintf("key %q again, first in line %d", clip(name.Value), line), "keep one")
			continue
		}
		seen[name.Value] = name.Line
		f(name, n.Content[i+1])
	}
}

// members reads a map with the keys of its table. What is wrong in one member does not hide the others.
func (r *reader) members(v *value, n *yaml.Node) bool {
	if v.key.orMCU && n.Kind == yaml.ScalarNode && n.Value == "mcu" {
		v.flag = true
		return true
	}
	want := "a map"
	if v.key.orMCU {
		want = "a map, or mcu"
	}
	if !r.of(n, yaml.MappingNode, want) {
		return false
	}
	seen := map[string]bool{}
	r.pairs(n, func(name, val *yaml.Node) {
		seen[name.Value] = true
		k := v.key.member(name.Value)
		if !r.known(name, v.key, k) {
			return
		}
		if c := r.value(val, k, join(v.path, k.name)); c != nil {
			v.names, v.items = append(v.names, k.name), append(v.items, c)
		}
	})
	for i := range v.key.keys {
		k := &v.key.keys[i]
		if need := k.need && r.layer == LayerBoard && k.allowed(LayerBoard); (need || k.name == "id") && k.gone == "" && !seen[k.name] {
			r.find(n, "BRD-105", fmt.Sprintf("%s is missing", join(v.path, k.name)), k.about)
		}
	}
	return true
}

// known refuses a name that is no key of k, or none of this layer.
func (r *reader) known(name *yaml.Node, parent, k *key) bool {
	names := parent.names(r.layer)
	switch {
	case k == nil:
		cure := "known are " + strings.Join(names, ", ")
		if near := strict.Nearest(name.Value, names); near != "" {
			cure = fmt.Sprintf("did you mean %q?", near)
		}
		r.find(name, "BRD-104", fmt.Sprintf("unknown key %q", clip(name.Value)), cure)
	case k.gone != "":
		r.find(name, "BRD-113", fmt.Sprintf("key %q", k.name), k.gone+": leave it out")
	case !slices.Contains(names, k.name):
		cure := "it belongs into the board file"
		if k.in == inProduct {
			cure = "it belongs into a product file"
		} else if len(names) > 0 {
			cure += "; here may stand " + strings.Join(names, ", ")
		}
		r.find(name, "BRD-111", fmt.Sprintf("key %q in a %s file", k.name, r.layer), cure)
	default:
		return true
	}
	return false
}

// dict reads maps by a name of the file's own.
func (r *reader) dict(v *value, n *yaml.Node) bool {
	if !r.of(n, yaml.MappingNode, "a map of names") {
		return false
	}
	member := &key{name: v.key.name, kind: kindMap, keys: v.key.keys}
	r.pairs(n, func(name, val *yaml.Node) {
		if !formName.matches(name.Value) {
			r.find(name, "BRD-107", fmt.Sprintf("name %q", clip(name.Value)), "want "+formName.name)
			return
		}
		if c := r.value(val, member, join(v.path, name.Value)); c != nil {
			v.names, v.items = append(v.names, name.Value), append(v.items, c)
		}
	})
	return r.most(n, len(n.Content)/2, v.key)
}

func (r *reader) most(n *yaml.Node, count int, k *key) bool {
	if int64(count) <= k.most {
		return true
	}
	r.find(n, "BRD-114", fmt.Sprintf("%d entries", count), fmt.Sprintf("want at most %d", k.most))
	return false
}

// maps reads a list of maps that have an id each.
func (r *reader) maps(v *value, n *yaml.Node) bool {
	if !r.of(n, yaml.SequenceNode, "a list") || !r.most(n, len(n.Content), v.key) {
		return false
	}
	if len(n.Content) == 0 {
		r.find(n, "BRD-114", "an empty list", "want at least one entry, or leave the key out")
		return false
	}
	member := &key{name: v.key.name, kind: kindMap, keys: v.key.keys}
	for i, item := range n.Content {
		name := strconv.Itoa(i)
		if item.Kind == yaml.MappingNode {
			for j := 0; j+1 < len(item.Content); j += 2 {
				if id := item.Content[j+1]; item.Content[j].Value == "id" && id.Kind == yaml.ScalarNode && formName.matches(id.Value) {
					name = id.Value
				}
			}
		}
		c := r.value(item, member, fmt.Sprintf("%s[%s]", v.path, name))
		if c == nil || c.child("id") == nil {
			continue
		}
		if name = c.child("id").show(); slices.Contains(v.names, name) {
			r.find(item, "BRD-115", fmt.Sprintf("id %s again", name), "give each its own")
			continue
		}
		v.names, v.items = append(v.names, name), append(v.items, c)
	}
	return true
}

// list reads a list of lines or texts.
func (r *reader) list(v *value, n *yaml.Node) bool {
	if !r.of(n, yaml.SequenceNode, "a list") {
		return false
	}
	if c := int64(len(n.Content)); c < v.key.least || c > v.key.most {
		want := fmt.Sprintf("want %d", v.key.least)
		if v.key.most > v.key.least {
			want = fmt.Sprintf("want %d to %d", v.key.least, v.key.most)
		}
		r.find(n, "BRD-114", fmt.Sprintf("%d entries", c), want)
		return false
	}
	member := &key{name: v.key.name, kind: kindText, form: v.key.form}
	if v.key.kind == kindLines {
		member.kind = kindLine
	}
	for i, item := range n.Content {
		c := r.value(item, member, fmt.Sprintf("%s[%d]", v.path, i))
		if c == nil {
			return false
		}
		v.items = append(v.items, c)
	}
	return true
}
