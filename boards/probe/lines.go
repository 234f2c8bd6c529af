package probe

import (
	"strings"

	"github.com/warthog618/go-gpiocdev"
)

// KernelLines reads the lines of a chip without requesting any.
func KernelLines(node string) (label string, lines []Line, err error) {
	c, err := gpiocdev.NewChip(node)
	if err != nil {
		return "", nil, err
	}
	defer c.Close()
	lines = make([]Line, 0, c.Lines())
	for i := range c.Lines() {
		l, err := c.LineInfo(i)
		if err != nil {
			return c.Label, lines, err
		}
		lines = append(lines, Line{Offset: i, Name: l.Name, Used: l.Used, Consumer: l.Consumer,
			Output: l.Config.Direction == gpiocdev.LineDirectionOutput})
	}
	return c.Label, lines, nil
}

func (t tree) gpio(read Lines) []Chip {
	var chips []Chip
	for _, name := range t.names("sys/bus/gpio/devices") {
		if !strings.HasPrefix(name, "gpiochip") {
			continue // exported lines of the old interface
		}
		c := Chip{Name: name}
		var err error
		if c.Label, c.Lines, err = read(t.path("dev", name)); err != nil {
			c.Problem = err.Error()
		}
		chips = append(chips, c)
	}
	count := map[string]int{}
	for _, c := range chips {
		for _, l := range c.Lines {
			count[l.Name]++
		}
	}
	for _, c := range chips {
		for i := range c.Lines {
			c.Lines[i].Twice = c.Lines[i].Name != "" && count[c.Lines[i].Name] > 1
		}
	}
	return chips
}
