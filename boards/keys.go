package boards

import (
	"regexp"
	"sync"
)

// key is one row of the table of keys: the reader, the JSON Schema and the reference are all made of it.
type key struct {
	name  string
	kind  kind
	about string
	need  bool   // it must be given, in a board file
	in    layers // files that it may stand in; 0: the board file, and the others if rule is not fixed
	rule  rule   // how a later layer may change it
	gone  string // not empty: it is refused, and this says why

	q           *quantity // kindQuantity, kindRange, kindSteps (the values)
	at          *quantity // kindSteps (the places)
	least, most int64     // kindInt, and bounds of kindQuantity in the base unit; of kindList and kindText: how many
	words       []string  // kindWord, kindWords
	keys        []key     // kindMap, kindDict and kindMaps: members of each
	orMCU       bool      // kindMap: or the word mcu
	form        *form     // kindText
}

type kind uint8

const (
	kindText     kind = iota
	kindWord          // one of words
	kindWords         // one of words, or a list of them
	kindFlag          // true or false
	kindInt           // whole number, decimal or 0x
	kindQuantity      // number with a unit
	kindRange         // [least, greatest]
	kindLine          // gpio:NAME, or a map with line, bias, debounce
	kindLines         // a list of these
	kindSteps         // a map of quantities, by a rising first
	kindTexts         // a list of texts
	kindMap           // members by name
	kindDict          // maps by a name that the file gives
	kindMaps          // a list of maps, by id
)

type layers uint8

const (
	inBoard layers = 1 << iota
	inProduct
	inSite
)

func layerBit(l Layer) layers { return 1 << (l - 1) }

// rule says what a product or site file may do to a value.
type rule uint8

const (
	ruleFixed rule = iota // nothing
	ruleSet               // give another one: nothing is looser by it
	ruleLower             // lower it
	ruleRaise             // raise it
	ruleOn                // turn false into true
	ruleLater             // take a later one of its words
	ruleSteps             // lower it at every place
)

var ruleNames = [...]string{"", "replace it", "lower it", "raise it", "set it to true", "take a stricter word", "lower it at every temperature"}

// allowed says whether a key may stand in a file of that layer: a container if one of its members may.
func (k *key) allowed(l Layer) bool {
	if k.gone != "" {
		return l == LayerBoard
	}
	if k.in != 0 {
		return k.in&layerBit(l) != 0
	}
	if l == LayerBoard || k.rule != ruleFixed {
		return true
	}
	for i := range k.keys {
		if k.keys[i].name != "id" && k.keys[i].allowed(l) {
			return true
		}
	}
	return false
}

// member returns the key of that name, or nil.
func (k *key) member(name string) *key {
	for i := range k.keys {
		if k.keys[i].name == name {
			return &k.keys[i]
		}
	}
	return nil
}

// names returns the members that may stand in a file of that layer and are not refused.
func (k *key) names(l Layer) []string {
	var names []string
	for i := range k.keys {
		if m := &k.keys[i]; m.gone == "" && (m.allowed(l) || m.name == "id") {
			names = append(names, m.name)
		}
	}
	return names
}

// form is a way of writing a text.
type form struct {
	name    string // what is wanted
	pattern string // of the whole text

	once sync.Once
	re   *regexp.Regexp // pattern, compiled when it is first wanted: a guard never reads a board file
}

// matches says whether s is written in the form.
func (f *form) matches(s string) bool {
	f.once.Do(func() { f.re = regexp.MustCompile(f.pattern) })
	return f.re.MatchString(s)
}
