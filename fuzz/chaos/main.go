//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if options := os.Getenv(childEnv); options != "" {
		exit(respond(options))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(command(ctx, os.Args[1:]))
}

// command does what the first argument says; without one that is a command, a campaign.
func command(ctx context.Context, args []string) error {
	commands := map[string]func(context.Context, []string) error{"planted": provePlanted, "soak": soak, "overload": overload}
	if len(args) > 0 {
		if do := commands[args[0]]; do != nil {
			return do(ctx, args[1:])
		}
	}
	return campaign(ctx, args)
}

// errFound says that a campaign came to its end, and that not all was as it must be.
var errFound = errors.New("not all was as it must be")

// exit ends the process.
func exit(err error) {
	switch {
	case err == nil:
		os.Exit(0)
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, "chaos:", err)
	os.Exit(1)
}

// note tells people what happens.
func note(format string, args ...any) {
	fmt.Printf("%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}
