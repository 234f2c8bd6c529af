// Command testcount runs "go test -json" with its arguments and shows what a
// person wants of it: the line of each package, the whole output of each test
// that failed, each skipped test with its reason, and one line that counts. The
// exit status is that of go test.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

func main() {
	start := time.Now()
	cmd := exec.Command("go", append([]string{"test", "-json"}, os.Args[1:]...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testcount: start go test:", err)
		os.Exit(1)
	}
	c := newCounter(os.Stdout)
	readErr := c.read(out)
	err = cmd.Wait()
	c.summary(time.Since(start))
	if readErr != nil {
		fmt.Fprintln(os.Stderr, "testcount:", readErr)
	}
	if err != nil || readErr != nil || c.packages == 0 {
		os.Exit(1)
	}
}
