package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/evsed/evsed/hal/meter/ocmf"
)

const meterVerifyUsage = "FILE [--key KEY|FILE]"

// maxSigned bounds a file of signed records.
const maxSigned = 16 << 20

// meterVerify judges the signed records of one transaction.
func meterVerify(args []string, out, _ io.Writer) error {
	fs := flag.NewFlagSet("verify", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	given := fs.String("key", "", "")
	var files []string
	for rest := args; ; {
		if err := fs.Parse(rest); err != nil {
			return usagef("%w: want %s", err, meterVerifyUsage)
		}
		if fs.NArg() == 0 {
			break
		}
		files, rest = append(files, fs.Arg(0)), fs.Args()[1:]
	}
	if len(files) != 1 {
		return usagef("want %s", meterVerifyUsage)
	}
	text, err := readBounded("FILE", files[0], maxSigned)
	if err != nil {
		return err
	}
	records, err := ocmf.ParseAll(text)
	if err != nil {
		return fmt.Errorf("%s: %w", files[0], err)
	}
	key, err := meterKey(*given)
	if err != nil {
		return err
	}
	return printJudgement(out, ocmf.Judge(records, key))
}

// printJudgement prints the three verdicts; it is an error unless all are good.
func printJudgement(out io.Writer, j ocmf.Judgement) error {
	for _, v := range []struct {
		name string
		ocmf.Verdict
	}{{"signature", j.Signature}, {"completeness", j.Completeness}, {"semantics", j.Semantics}} {
		fmt.Fprintf(out, "%-12s %v\n", v.name, v.State)
		for _, f := range v.Findings {
			remark := ""
			if f.Remark {
				remark = "remark: "
			}
			fmt.Fprintf(out, "    %s%v\n", remark, f)
		}
	}
	if !j.Good() {
		return errors.New("not all three verdicts are good")
	}
	return nil
}

// meterKey reads a key that is given as text or as a file; nil is none.
func meterKey(given string) (*ocmf.Key, error) {
	if given == "" {
		return nil, nil
	}
	if _, err := os.Stat(given); err == nil {
		text, err := readBounded("--key", given, maxSigned)
		if err != nil {
			return nil, err
		}
		given = string(text)
	}
	key, err := ocmf.ParseKey(given)
	if errors.Is(err, ocmf.ErrCurve) {
		return &key, nil // the verdict names the curve
	}
	if err != nil {
		return nil, usagef("--key: %w", err)
	}
	return &key, nil
}
