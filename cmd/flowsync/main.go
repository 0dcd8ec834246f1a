// Command flowsync is the gateway: it holds a requester's request open, publishes it over MQTT,
// and answers it with what the responder says, or with the truth about why nobody did.
//
// This package is the command line and nothing else. It reads options, reports all that is
// wrong with them at once, starts what was asked for, and turns signals and errors into exit
// codes. What runs is in the packages under internal.
//
// # Options
//
// Each option of a command is a flag and, under the name FLOWSYNC_<NAME>, an environment
// variable; the flag wins. Values reach us as text (flags.go) and are judged in one place
// (settings.go), because kong would stop at the first one that does not parse.
//
// # Exit codes
//
//	0        done; for run: ended by a signal, after draining
//	1        it failed; for check: a file has errors
//	2        the command line is wrong
//	130, 143 a second SIGINT or SIGTERM: ended at once, whatever was held
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/logging"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

// The exit codes, but for those of signals.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// lastWords is how long the end of the process waits for whoever reads its log.
const lastWords = time.Second

func main() {
	stderr := logging.NewQueue(os.Stderr)
	code := execute(os.Args[1:], process{
		stdout:  os.Stdout,
		stderr:  stderr,
		signals: notify,
		read:    readFiles,
		open:    openGateway,
	})
	stderr.Close(lastWords)
	os.Exit(code)
}

// process is what a command sees of the world, so that tests can give it another one.
type process struct {
	stdout, stderr io.Writer
	// signals begins to catch SIGINT and SIGTERM, which no longer end the process from then on.
	signals func() <-chan os.Signal
	read    reader
	open    opener
}

// notify catches what asks the process to end. SIGHUP does too: a terminal that closes is no
// reason to drop what is held, and there is no reload. SIGPIPE does not: a log that nobody reads
// any more is no reason to end.
func notify() <-chan os.Signal {
	signal.Ignore(syscall.SIGPIPE)
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	return caught
}

// commandLine is all that may be written behind "flowsync".
type commandLine struct {
	Run     runCommand        `cmd:"" help:"Serve commissioning files."`
	Check   checkCommand      `cmd:"" help:"Report everything that is wrong with commissioning files."`
	Respond responder.Command `cmd:"" help:"Answer requests: an echo, or a script of delays, errors, duplicates, silence."`
	Load    loadCommand       `cmd:"" help:"Offer load to a gateway, compare every answer with its request, and report how long requesters waited."`
	Version versionCommand    `cmd:"" help:"Print the version."`
}

// exitCode ends a command without a further word, with a code.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// execute runs the command that args name and returns the exit code.
func execute(args []string, p process) (code int) {
	defer func() { // kong ends the process after --help: this is how it gets here
		if stop := recover(); stop != nil {
			asked, ok := stop.(exitCode)
			if !ok {
				panic(stop)
			}
			code = int(asked)
		}
	}()
	parser, err := newParser(p)
	if err != nil {
		fmt.Fprintf(p.stderr, "flowsync: %v\n", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(p.stderr, "flowsync: %v\n%s", err, helpHint(err))
		return exitUsage
	}
	return codeOf(command.Run(), p.stderr)
}

func newParser(p process) (*kong.Kong, error) {
	return kong.New(new(commandLine),
		kong.Name("flowsync"),
		kong.Description("A synchronous request/response gateway over MQTT: it holds an HTTP request or an OPC UA operation open, publishes it, and answers it with the correlated answer, or with the truth when none comes in time. Each flag --some-name may also be given in the environment, as FLOWSYNC_SOME_NAME; the flag wins."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { panic(exitCode(code)) }),
		kong.DefaultEnvars("FLOWSYNC"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.ValueFormatter(helpWithDefault), // the one in HelpOptions is overwritten
		kong.Bind(&p),
		kong.BindToProvider(untilSignal))
}

// helpWithDefault is the help of a flag and its default; its variable is told once for all.
func helpWithDefault(value *kong.Value) string {
	if value.Default == "" {
		return value.Help
	}
	return value.Help + " Default: " + value.Default + "."
}

// untilSignal is the context of commands that just stop: a second signal ends the process.
func untilSignal() (context.Context, error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, nil
}

// helpHint says where to read on after an error of the command line.
func helpHint(err error) string {
	command := ""
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		if selected := parse.Context.Selected(); selected != nil {
			command = selected.Name + " "
		}
	}
	return fmt.Sprintf("Run \"flowsync %s--help\" for what there is.\n", command)
}

// codeOf reports an error and turns it into an exit code.
func codeOf(err error, stderr io.Writer) int {
	var code exitCode
	var faults optionFaults
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &faults):
		fmt.Fprint(stderr, faults.report())
		return exitUsage
	}
	fmt.Fprintf(stderr, "flowsync: %v\n", err)
	return exitFailed
}
