package boards

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/evsed/evsed/station/local/strict"
)

// truths are the words that readers of YAML 1.1 take for true or false, and this one does not. (The specification has y and n
// too; no common reader does, and N is the neutral's name.)
var truths = []string{"yes", "no", "on", "off", "true", "false"}

// scalar reads a single value.
func (r *reader) scalar(v *value, n *yaml.Node) bool {
	k := v.key
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		r.find(n, "BRD-106", kindOf(n), "want "+k.want())
		return false
	}
	plain := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
	if low := strings.ToLower(n.Value); plain && slices.Contains(truths, low) && (k.kind != kindFlag || low != n.Value || len(low) < 4) {
		cure := fmt.Sprintf("some readers of YAML take it for true or false: want %s", k.want())
		if k.kind == kindText {
			cure = "some readers of YAML take it for true or false: put it in quotes"
		}
		r.find(n, "BRD-110", n.Value, cure)
		return false
	}
	if plain && (k.kind == kindText || k.kind == kindWord) && n.Tag != "!!str" {
		r.find(n, "BRD-110", n.Value, "readers of YAML take it for a number or a date: put it in quotes")
		return false
	}
	switch k.kind {
	case kindText:
		return r.text(v, n)
	case kindWord:
		v.text = n.Value
		return r.word(n, k)
	case kindFlag:
		v.flag = n.Value == "true"
		if !plain || !v.flag && n.Value != "false" {
			r.find(n, "BRD-106", kindOf(n), "want true or false")
			return false
		}
		return true
	case kindInt:
		return r.integer(v, n)
	}
	var ok bool
	v.num, ok = r.quantity(n, k.q, k)
	return ok
}

func (r *reader) text(v *value, n *yaml.Node) bool {
	v.text = n.Value
	if v.key.form == nil || v.key.form.matches(n.Value) {
		return true
	}
	cure := "want " + v.key.form.name
	if v.key.form == formLine && !strings.HasPrefix(n.Value, "gpio:") && formLine.matches("gpio:"+n.Value) {
		cure = fmt.Sprintf("did you mean %q?", "gpio:"+n.Value)
	}
	r.find(n, "BRD-107", strconv.Quote(clip(n.Value)), cure)
	return false
}

func (r *reader) word(n *yaml.Node, k *key) bool {
	if slices.Contains(k.words, n.Value) {
		return true
	}
	r.find(n, "BRD-109", strconv.Quote(clip(n.Value)), "want "+strict.Words(n.Value, k.words))
	return false
}

// integer reads a decimal number, or a hexadecimal one with 0x.
func (r *reader) integer(v *value, n *yaml.Node) bool {
	text, base := n.Value, 10
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		text, base = hex, 16
	}
	i, err := strconv.ParseInt(text, base, 64)
	if err != nil || base == 10 && len(text) > 1 && text[0] == '0' || text == "" || text[0] == '+' || base == 16 && text[0] == '-' {
		r.find(n, "BRD-106", kindOf(n), "want "+v.key.want())
		return false
	}
	if i < v.key.least || i > v.key.most {
		r.find(n, "BRD-108", n.Value, "want "+v.key.want())
		return false
	}
	v.num = i
	return true
}

// quantity reads a number with a unit, within the bounds of k if it has some.
func (r *reader) quantity(n *yaml.Node, q *quantity, k *key) (int64, bool) {
	if n.Kind != yaml.ScalarNode {
		r.find(n, "BRD-106", kindOf(n), fmt.Sprintf("want a %s, like %q", q.name, q.about))
		return 0, false
	}
	i, err := q.parse(n.Value)
	if u := (unfit{}); errors.As(err, &u) {
		r.find(n, "BRD-107", u.text, u.cure)
		return 0, false
	}
	if k != nil && (k.least != 0 || k.most != 0) && (i < k.least || i > k.most) {
		r.find(n, "BRD-108", n.Value, fmt.Sprintf("want %s to %s", q.show(k.least), q.show(k.most)))
		return 0, false
	}
	return i, true
}

// want says what a value of the key looks like.
func (k *key) want() string {
	switch k.kind {
	case kindText:
		if k.form != nil {
			return k.form.name
		}
		return "a text"
	case kindWord, kindWords:
		return "one of " + strings.Join(k.words, ", ")
	case kindFlag:
		return "true or false"
	case kindInt:
		return fmt.Sprintf("a whole number from %d to %d", k.least, k.most)
	case kindQuantity:
		return fmt.Sprintf("a %s, like %q", k.q.name, k.q.about)
	case kindRange:
		return fmt.Sprintf("a list of the least and the greatest %s", k.q.name)
	case kindSteps:
		return fmt.Sprintf("a map from %s to %s", k.at.name, k.q.name)
	case kindLine:
		return formLine.name
	case kindLines, kindTexts, kindMaps:
		return "a list"
	}
	return "a map"
}

// words reads a word or a list of words, each once.
func (r *reader) words(v *value, n *yaml.Node) bool {
	items := n.Content
	if n.Kind == yaml.ScalarNode {
		items = []*yaml.Node{n}
	} else if !r.of(n, yaml.SequenceNode, v.key.want()+", or a list of them") {
		return false
	}
	member := &key{name: v.key.name, kind: kindWord, words: v.key.words}
	for i, item := range items {
		c := r.value(item, member, fmt.Sprintf("%s[%d]", v.path, i))
		if c == nil {
			return false
		}
		for _, before := range v.items {
			if before.text == c.text {
				r.find(item, "BRD-102", fmt.Sprintf("%q again", c.text), "keep one")
				return false
			}
		}
		v.items = append(v.items, c)
	}
	if len(v.items) == 0 {
		r.find(n, "BRD-114", "an empty list", v.key.want())
	}
	return len(v.items) > 0
}

// span reads [least, greatest].
func (r *reader) span(v *value, n *yaml.Node) bool {
	if !r.of(n, yaml.SequenceNode, v.key.want()) {
		return false
	}
	if len(n.Content) != 2 {
		r.find(n, "BRD-114", fmt.Sprintf("%d entries", len(n.Content)), "want "+v.key.want())
		return false
	}
	for i, c := range n.Content {
		var ok bool
		if v.span[i], ok = r.quantity(c, v.key.q, v.key); !ok {
			return false
		}
	}
	if v.span[0] >= v.span[1] {
		r.find(n, "BRD-108", "a range that ends before it begins", "want "+v.key.want())
		return false
	}
	return true
}

// stepped reads a map of quantities by a rising quantity.
func (r *reader) stepped(v *value, n *yaml.Node) bool {
	if !r.of(n, yaml.MappingNode, v.key.want()) || !r.most(n, len(n.Content)/2, v.key) {
		return false
	}
	ok := true
	r.pairs(n, func(name, val *yaml.Node) {
		at, ok1 := r.quantity(name, v.key.at, nil)
		to, ok2 := r.quantity(val, v.key.q, nil)
		switch {
		case !ok1 || !ok2:
			ok = false
		case to < 0:
			r.find(val, "BRD-108", val.Value, "want nothing negative")
			ok = false
		case len(v.steps) > 0 && at <= v.steps[len(v.steps)-1].at:
			r.find(name, "BRD-108", name.Value+" does not follow the step above", "write the steps by rising "+v.key.at.name)
			ok = false
		default:
			v.steps = append(v.steps, step{at, to})
		}
	})
	if ok && len(v.steps) == 0 {
		r.find(n, "BRD-114", "no steps", "want "+v.key.want())
		ok = false
	}
	return ok
}

// lineKeys are the members of the long form of a line.
var lineKeys = []key{
	{name: "line", form: formLine, need: true, about: "gpio:NAME, or gpio:!NAME."},
	{name: "bias", kind: kindWord, words: []string{"pull-up", "pull-down", "disabled"}, about: "Of an input."},
	{name: "debounce", kind: kindQuantity, q: qTime, least: 1, most: 1_000_000_000, about: "Of an input, by the kernel."},
}

// line reads gpio:NAME, or the map of its long form.
func (r *reader) line(v *value, n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		short := &value{key: &key{kind: kindText, form: formLine}}
		ok := r.scalar(short, n)
		v.text = short.text
		return ok
	}
	k := *v.key
	k.kind, k.keys = kindMap, lineKeys
	long := &value{key: &k, path: v.path, where: v.where}
	ok := r.members(long, n)
	v.key, v.names, v.items = &k, long.names, long.items
	return ok
}
