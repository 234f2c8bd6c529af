package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/evsed/evsed/station/local/strict"
)

// maxLine bounds what is typed at the prompt, in bytes.
const maxLine = 1024

// errQuit ends the prompt.
var errQuit = errors.New("quit")

// ask carries out what is typed until q, the end of the input, or ctx.
func (d *demo) ask(ctx context.Context, in io.Reader) error {
	typed := make(chan string)
	go read(ctx, in, typed) // ends with its input; one that waits at a terminal ends with the process
	for {
		d.paper.prompt()
		select {
		case <-ctx.Done():
			d.paper.plain("")
			return nil
		case err := <-d.failed:
			return err
		case text, ok := <-typed:
			d.paper.entered()
			if !ok {
				d.paper.plain("")
				return nil
			}
			switch err := d.command(ctx, text); {
			case errors.Is(err, errQuit):
				return nil
			case err != nil:
				d.paper.plain(err.Error())
			}
		}
	}
}

// read hands lines over until the input ends. What is beyond maxLine of a line is left out.
func read(ctx context.Context, in io.Reader, typed chan<- string) {
	defer close(typed)
	r := bufio.NewReaderSize(in, maxLine)
	for {
		text, more, err := r.ReadLine()
		if err != nil {
			return
		}
		select {
		case typed <- string(text):
		case <-ctx.Done():
			return
		}
		for more && err == nil {
			_, more, err = r.ReadLine()
		}
	}
}

// command is a word of the prompt.
type command struct {
	name  string
	usage string
	about string
	run   func(d *demo, ctx context.Context, args []string) error
}

// commands are all words, in the order in which help shows them.
func commands() []command {
	return []command{
		{"plug", "[1|2.1|2.2]", "a car arrives", (*demo).plug},
		{"unplug", "[1|2.1|2.2]", "the driver ends charging and leaves", (*demo).unplug},
		{"swipe", "[DEMO|GUEST|..] [1|2]", "show a card to the reader, of one EVSE", (*demo).swipe},
		{"stop", "[1|2]", "press the stop button; no number: of all", (*demo).stop},
		{"net", "cut|up", "the way to the CSMS", (*demo).net},
		{"power", "cut|up", "the mains of the station", (*demo).power},
		{"fault", "NAME|clear [1|2.1|..]", "something breaks, or all is mended; ? lists", (*demo).fault},
		{"rate", "1..60", "how fast the station's clock runs", (*demo).rate},
		{"status", "", "the station as it is", (*demo).status},
		{"ledger", "", "what the CSMS has in its books", (*demo).ledger},
		{"help", "", "this list; ? does it too", (*demo).help},
		{"q", "", "quit", func(*demo, context.Context, []string) error { return errQuit }},
	}
}

// command carries one line out. An error is for the human.
func (d *demo) command(ctx context.Context, text string) error {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil
	}
	c, err := find(words[0])
	if err != nil {
		return err
	}
	if most := len(strings.Fields(c.usage)); len(words)-1 > most {
		return usage(c)
	}
	return c.run(d, ctx, words[1:])
}

// find returns the command that was meant: by its name or a beginning that no other shares.
func find(word string) (command, error) {
	if word == "?" {
		word = "help"
	}
	if word == "quit" || word == "exit" {
		word = "q"
	}
	var names, shared []string
	var like command
	for _, c := range commands() {
		if c.name == word {
			return c, nil
		}
		if strings.HasPrefix(c.name, word) {
			like, shared = c, append(shared, c.name)
		}
		names = append(names, c.name)
	}
	switch {
	case len(shared) == 1:
		return like, nil
	case len(shared) > 1:
		return command{}, fmt.Errorf("%s: %s?", word, strings.Join(shared, " or "))
	}
	if near := strict.Nearest(word, names); near != "" {
		return command{}, fmt.Errorf("%s: unknown; %s? (help lists all)", shorten(word), near)
	}
	return command{}, fmt.Errorf("%s: unknown; help lists all", shorten(word))
}

func usage(c command) error { return fmt.Errorf("usage: %s %s", c.name, c.usage) }

// shorten keeps what was typed from filling the line.
func shorten(word string) string {
	if len(word) > 20 {
		return strings.ToValidUTF8(word[:20], "") + ".."
	}
	return word
}

func (d *demo) help(context.Context, []string) error {
	for _, c := range commands() {
		d.paper.plain(fmt.Sprintf("  %-6s %-21s  %s", c.name, c.usage, c.about))
	}
	d.paper.plain("A beginning is enough: sta, l, u 2.2. Cards: DEMO GUEST BLOCKED, others unknown.")
	return nil
}
