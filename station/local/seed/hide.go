package seed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evsed/evsed/station/local/strict"
)

// hidden stands in front of the name under which a secret of the copy is sealed.
const hidden = "sealed:"

// Hide returns a copy of a seed in which each secret is the name that seal gave it. Equal ones have one name.
func Hide(data []byte, seal func(secret string) (name string, err error)) ([]byte, error) {
	top, err := strict.Parse(data)
	if err != nil {
		return nil, err
	}
	places := secretsIn(top)
	slices.SortFunc(places, func(a, b *strict.Value) int { return a.Offset() - b.Offset() })
	names := map[string]string{}
	var out []byte
	from := 0
	for _, v := range places {
		name, ok := names[v.Text]
		if !ok {
			if name, err = seal(v.Text); err != nil {
				return nil, fmt.Errorf("%s: %w", v.Path(), err)
			}
			names[v.Text] = name
		}
		at := v.Offset()
		out = append(append(out, data[from:at]...), fmt.Sprintf("%q", hidden+name)...)
		from = at + stringEnd(data[at:])
	}
	return append(out, data[from:]...), nil
}

// secretsIn finds the passwords of a seed.
func secretsIn(top *strict.Value) (found []*strict.Value) {
	add := func(v *strict.Value) {
		if v != nil && v.Kind == strict.String && v.Text != "" {
			found = append(found, v)
		}
	}
	for _, p := range items(member(top, "csms")) {
		add(member(p, "basicAuthPassword"))
	}
	add(member(member(top, "security"), "privateKeyPassword"))
	add(member(member(top, "ocpp16"), "AuthorizationKey"))
	for _, it := range items(member(top, "ocpp2")) {
		if v := member(it, "variable"); v != nil && strings.EqualFold(v.Text, "BasicAuthPassword") {
			add(member(it, "value"))
		}
	}
	return found
}

func member(v *strict.Value, name string) *strict.Value {
	if v == nil || v.Kind != strict.Object {
		return nil
	}
	if i := slices.Index(v.Names, name); i >= 0 {
		return &v.Items[i]
	}
	return nil
}

func items(v *strict.Value) (all []*strict.Value) {
	if v != nil && v.Kind == strict.Array {
		for i := range v.Items {
			all = append(all, &v.Items[i])
		}
	}
	return all
}

// stringEnd is the length of the JSON string that text begins with.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// Reveal puts the secrets of a copy back. What does not open is left out, and the error says so.
func (s *Seed) Reveal(open func(name string) (secret []byte, err error)) error {
	var failed error
	reveal := func(text *string) {
		name, ok := strings.CutPrefix(*text, hidden)
		if !ok {
			return
		}
		secret, err := open(name)
		if err != nil {
			failed = err
		}
		*text = string(secret)
	}
	for i := range s.Profiles {
		reveal(&s.Profiles[i].Password)
	}
	for i := range s.Overrides {
		reveal(&s.Overrides[i].Value)
	}
	for i := range s.Keys {
		reveal(&s.Keys[i].Value)
	}
	reveal(&s.Security.Password)
	return failed
}
