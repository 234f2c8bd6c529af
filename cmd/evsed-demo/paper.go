package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// width is what a line may take, in characters: that of the console on a serial line.
const width = 80

// prompt is what the console asks with.
const prompt = "evse> "

// Colours of the words, as SGR parameters.
const (
	plainText = ""
	green     = "32"
	yellow    = "33"
	blue      = "34"
	magenta   = "35"
	cyan      = "36"
	red       = "31"
	grey      = "90"
)

// topics are the words that lines begin with, and their colours.
var topics = map[string]string{
	"BOOT": green, "CAR": cyan, "CARD": cyan, "RELAY": yellow, "LOCK": grey, "LIGHT": grey, "CSMS": blue, "TX": magenta,
	"NET": red, "POWER": red, "FAULT": red, "SAVED": yellow, "STORY": green, "CHECK": green,
}

// backlog bounds the lines that wait for the printer. Who finds it full waits: nothing is left out.
const backlog = 1024

// paper is where lines are printed, one after the other. Whoever has something to say hands it over and goes on.
type paper struct {
	lines chan line
	done  chan struct{}
	wall  func() time.Time
	out   io.Writer
	lit   bool // in colour

	mu     sync.Mutex // closed, and with it the sending of lines
	closed bool
}

// line is one thing to print.
type line struct {
	text string
	kind lineKind
}

type lineKind uint8

const (
	answer  lineKind = iota // to what was typed
	event                   // came by itself
	asking                  // the prompt
	entered                 // nothing to print: the human ended the line that the prompt stood on
)

func newPaper(out io.Writer, colour bool, wall func() time.Time) *paper {
	p := &paper{lines: make(chan line, backlog), done: make(chan struct{}), wall: wall, out: out, lit: colour}
	go p.print()
	return p
}

// print writes what comes until close. A prompt that stands there is put below what comes by itself.
func (p *paper) print() {
	defer close(p.done)
	shown := false
	for l := range p.lines {
		text := l.text + "\n"
		switch {
		case l.kind == asking:
			text, shown = prompt, true
		case l.kind == entered:
			text, shown = "", false
		case l.kind == event && shown:
			text = p.over() + text + prompt
		}
		_, _ = io.WriteString(p.out, text)
	}
}

// over gets rid of the prompt that stands on the line.
func (p *paper) over() string {
	if p.lit {
		return "\r\x1b[K"
	}
	return "\n"
}

func (p *paper) put(l line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.lines <- l
	}
}

// close prints what waits and ends.
func (p *paper) close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.lines)
	}
	p.mu.Unlock()
	<-p.done
}

// plain prints an answer.
func (p *paper) plain(text string) { p.put(line{text: fit(text)}) }

// whole prints an answer that is of no use when cut.
func (p *paper) whole(text string) { p.put(line{text: text}) }

// prompt asks.
func (p *paper) prompt() { p.put(line{kind: asking}) }

// entered tells that an answer was typed.
func (p *paper) entered() { p.put(line{kind: entered}) }

// event prints what happened, with the station's time: "12:00:01  CAR    evse 1 plugged in".
func (p *paper) event(topic, format string, args ...any) {
	at := p.wall().Local().Format("15:04:05")
	text := fit(fmt.Sprintf("%s  %-6s %s", at, topic, fmt.Sprintf(format, args...)))
	p.put(line{text: p.paint(text, len(at)+2, topic), kind: event})
}

// paint colours the topic that begins at a byte of text.
func (p *paper) paint(text string, at int, topic string) string {
	colour := topics[topic]
	if !p.lit || colour == plainText {
		return text
	}
	end := at + len(topic)
	return "\x1b[90m" + text[:at] + "\x1b[0;" + colour + "m" + text[at:end] + "\x1b[0m" + text[end:]
}

// fit cuts a line to the width, and makes one line of several.
func fit(text string) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	r := []rune(text)
	return string(r[:width-2]) + ".."
}
