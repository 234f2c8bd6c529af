package sim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// base is the path of version 1 of the interface.
const base = "/sim/v1/"

// route is one call of the interface.
type route struct {
	method string
	path   string   // below base; {e} stands for the number of an EVSE
	query  []string // names that the query may have
	do     func(c *call, body *strict.Value) (any, error)
}

// routes are the calls, in the order of docs/SIM-API.md.
var routes = []route{
	{method: "GET", path: "health", do: (*call).health},
	{method: "GET", path: "info", do: (*call).info},
	{method: "GET", path: "state", do: (*call).state},
	{method: "GET", path: "events", query: []string{"since", "waitMs"}, do: (*call).events},
	{method: "POST", path: "evses/{e}/plug", do: (*call).plug},
	{method: "POST", path: "evses/{e}/unplug", do: (*call).unplug},
	{method: "POST", path: "evses/{e}/ev", do: (*call).ev},
	{method: "POST", path: "evses/{e}/bay", do: (*call).bay},
	{method: "POST", path: "swipe", do: (*call).swipe},
	{method: "POST", path: "stop", do: (*call).stop},
	{method: "POST", path: "evses/{e}/faults", do: (*call).fault},
	{method: "POST", path: "faults", do: (*call).stationFault},
	{method: "DELETE", path: "faults", do: (*call).clearFaults},
	{method: "POST", path: "evses/{e}/meter", do: (*call).meter},
	{method: "POST", path: "evses/{e}/lock", do: (*call).lock},
	{method: "POST", path: "power", do: (*call).power},
	{method: "POST", path: "network", do: (*call).network},
	{method: "POST", path: "clock", do: (*call).clock},
	{method: "POST", path: "limits", do: later("external limits")},
	{method: "POST", path: "grid", do: later("the grid for DER control")},
	{method: "POST", path: "firmware", do: (*call).firmware},
	{method: "POST", path: "upload", do: (*call).upload},
	{method: "GET", path: "variables", query: []string{"component", "variable", "key"}, do: (*call).variables},
	{method: "POST", path: "variables", do: (*call).setVariables},
	{method: "POST", path: "auth-cache", do: (*call).authCache},
	{method: "POST", path: "local-list", do: (*call).localList},
	{method: "POST", path: "reset-state", do: (*call).resetState},
}

// later answers a call of the interface whose subject this build does not have.
func later(subject string) func(*call, *strict.Value) (any, error) {
	return func(*call, *strict.Value) (any, error) { return nil, notSimulated(subject) }
}

func notSimulated(subject string) error { return fmt.Errorf("%s: %w", subject, ErrNotSimulated) }

// call is a call under way.
type call struct {
	*Server
	strict.Reader
	ctx   context.Context
	evse  term.EVSEID
	query url.Values
}

// find returns the route of a path; or the status that says why there is none, with a text: for a wrong method the
// right ones.
func find(method, path string) (*route, *call, int, string) {
	rest, ok := strings.CutPrefix(path, base)
	if !ok {
		return nil, nil, http.StatusNotFound, fmt.Sprintf("no such path: all calls are below %s", base)
	}
	var allow, paths []string
	for i := range routes {
		rt := &routes[i]
		c := new(call)
		if !rt.match(rest, c) {
			paths = append(paths, rt.path)
			continue
		}
		if c.evse < 1 && strings.Contains(rt.path, "{e}") {
			return nil, nil, http.StatusNotFound, "no such EVSE: want a number from 1"
		}
		if rt.method == method {
			return rt, c, 0, ""
		}
		allow = append(allow, rt.method)
	}
	if len(allow) > 0 {
		return nil, nil, http.StatusMethodNotAllowed, strings.Join(allow, ", ")
	}
	return nil, nil, http.StatusNotFound, "no such call: want " + strict.Words(rest, slices.Compact(paths))
}

// match reports whether a path is the route's, and notes the EVSE.
func (rt *route) match(path string, c *call) bool {
	want, got := strings.Split(rt.path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		switch {
		case want[i] == "{e}":
			n, _ := strconv.ParseInt(got[i], 10, 32) // 0 where it is no number
			c.evse = term.EVSEID(n)
		case want[i] != got[i]:
			return false
		}
	}
	return true
}

// run reads query and body and carries the call out. An empty body is {}.
func (c *call) run(rt *route, query string, data []byte) (any, error) {
	var err error
	if c.query, err = url.ParseQuery(query); err != nil {
		return nil, fmt.Errorf("%w: query: %w", errRequest, err)
	}
	for _, name := range sortedKeys(c.query) {
		switch {
		case !slices.Contains(rt.query, name):
			return nil, fmt.Errorf("%w: query: unknown name %q: want %s", errRequest, name, strict.Words(name, rt.query))
		case len(c.query[name]) > 1:
			return nil, fmt.Errorf("%w: query: %s given twice", errRequest, name)
		}
	}
	if len(data) == 0 {
		data = []byte("{}")
	}
	v, err := strict.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRequest, err)
	}
	return rt.do(c, v)
}

func sortedKeys(q url.Values) []string {
	var names []string
	for name := range q {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// bad returns what is wrong with the body; every call asks before it acts.
func (c *call) bad() error {
	if err := c.Err(); err != nil {
		return fmt.Errorf("%w: %w", errRequest, err)
	}
	return nil
}

// number reads a whole number of the query.
func (c *call) number(name string) (uint64, error) {
	s := c.query.Get(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: query: %s: %q: want a whole number", errRequest, name, s)
	}
	return n, nil
}
