//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/schedule"
)

// inject does what the schedule says. Faults that take longer to heal than was planned push back
// the ones behind. An error is one of a fault that could not be done or undone.
func (r *running) inject(ctx context.Context, plan *schedule.Schedule) error {
	x := &injector{running: r, began: time.Now(), targets: make(map[string]*sync.Mutex)}
	for _, step := range plan.Steps {
		if x.failed() != nil || !x.await(ctx, step.At) {
			break
		}
		x.begin(ctx, step)
	}
	x.all.Wait()
	return x.failed()
}

// injector does the steps of a schedule.
type injector struct {
	*running
	began   time.Time     // when the schedule did
	late    time.Duration // how much it was pushed back
	targets map[string]*sync.Mutex
	quiet   sync.RWMutex // held for writing by a fault that must be alone
	all     sync.WaitGroup

	errMu sync.Mutex
	err   error
}

func (x *injector) failed() error {
	x.errMu.Lock()
	defer x.errMu.Unlock()
	return x.err
}

func (x *injector) fail(step schedule.Step, what string, err error) {
	if err == nil {
		return
	}
	x.errMu.Lock()
	defer x.errMu.Unlock()
	if x.err == nil {
		x.err = fmt.Errorf("%s: %s: %w", step.Kind, what, err)
	}
}

// await waits until a step is due; false: ctx has ended.
func (x *injector) await(ctx context.Context, at time.Duration) bool {
	timer := time.NewTimer(time.Until(x.began.Add(at + x.late)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// begin starts a step when its target is free.
func (x *injector) begin(ctx context.Context, step schedule.Step) {
	due := time.Now()
	target := x.targets[step.Target]
	if target == nil {
		target = new(sync.Mutex)
		x.targets[step.Target] = target
	}
	release := x.quiet.RUnlock
	if step.Alone {
		x.quiet.Lock()
		release = x.quiet.Unlock
	} else {
		x.quiet.RLock()
	}
	target.Lock()
	x.late += time.Since(due)
	x.all.Go(func() {
		defer release()
		defer target.Unlock()
		x.step(ctx, step)
	})
}

// step does one step to its end.
func (x *injector) step(ctx context.Context, step schedule.Step) {
	f := x.kinds[step.Kind]
	over := x.site.history().Fault(f.Name, fmt.Sprintf("for %v, number %d", step.For, step.Number), f.effect)
	defer x.fade(f.felt, over)
	heal, err := f.inject(ctx, x.site, step.Number)
	x.fail(step, "doing it", err)
	x.count(f.Name)
	timer := time.NewTimer(step.For)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	// What was broken is mended also when all is to end.
	mending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	defer cancel()
	if heal != nil {
		x.fail(step, "undoing it", heal(mending))
	}
}

// fade calls over when the effect of a fault is not felt any more. Nobody waits for that but the end.
func (x *injector) fade(felt time.Duration, over func()) {
	if felt == 0 {
		over()
		return
	}
	x.all.Add(1)
	time.AfterFunc(felt, func() {
		defer x.all.Done()
		over()
	})
}

func (x *injector) count(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.verdict.faults[name]++
}

// chosen are the faults whose names contain one of the texts, which commas separate.
func chosen(all []fault, only string) (some []fault) {
	for _, f := range all {
		for text := range strings.SplitSeq(only, ",") {
			if strings.Contains(f.Name, text) {
				some = append(some, f)
				break
			}
		}
	}
	return some
}
