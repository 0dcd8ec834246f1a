package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// drainTime is how long answers are waited for when no more is asked.
const drainTime = 10 * time.Second

// loop asks over one session, and checks what is answered.
type loop struct {
	client   *rawclient.Client
	request  Request
	template *rawclient.Template
	text     []byte // of the request; its mark is another's
	place    int    // of the mark in the template
	seed     uint64

	mu        sync.Mutex // guards all below; the client's lock is above it
	asked     map[uint32]time.Time
	again     bool // each answer is followed by another request
	measuring bool
	times     []time.Duration // of answers while measuring
	answers   int             // all
	expect    *pattern        // nil: nothing was answered yet
	faults    Faults
	err       error         // why the loop is of no use
	idle      chan struct{} // one token: nothing is asked and unanswered, or the loop has failed
}

// newLoop connects and logs in.
func newLoop(ctx context.Context, address string, w OPCUA, k *Keys) (*loop, error) {
	l := &loop{
		request: w.Request, seed: uint64(time.Now().UnixNano()),
		asked: make(map[uint32]time.Time, w.InFlight), idle: make(chan struct{}, 1),
	}
	var err error
	if l.client, err = connect(ctx, address, w.Security, k, l.deliver); err != nil {
		return nil, err
	}
	mark := appendMark(nil, l.seed, 0)
	l.text = append(mark, strings.Repeat("x", max(0, w.Payload-markSize))...)
	if l.template, err = l.client.NewTemplate(w.Request.with(string(l.text))); err == nil {
		if l.place = l.template.Index(mark); l.place < 0 {
			err = errors.New("bench: the mark is not once in the request")
		}
	}
	if err != nil {
		l.client.Close()
		return nil, err
	}
	return l, nil
}

// ask sends a request.
func (l *loop) ask() error {
	_, err := l.client.SendTemplate(l.template, func(body []byte, id uint32) {
		appendMark(body[l.place:l.place], l.seed, id)
		l.mu.Lock()
		l.asked[id] = time.Now()
		l.mu.Unlock()
	})
	return err
}

// start asks n times, and goes on with each answer if again is set.
func (l *loop) start(n int, again bool) error {
	l.mu.Lock()
	l.again = again
	l.mu.Unlock()
	for range n {
		if err := l.ask(); err != nil {
			return err
		}
	}
	return nil
}

// deliver takes an answer.
func (l *loop) deliver(r rawclient.Response) {
	now := time.Now()
	l.mu.Lock()
	asked, known := l.asked[r.ID]
	switch {
	case !known:
		l.faults.Duplicate++
	default:
		delete(l.asked, r.ID)
		l.answers++
		if l.measuring {
			l.times = append(l.times, now.Sub(asked))
		}
		l.checkLocked(r)
	}
	again := known && l.again && l.err == nil
	if !again && len(l.asked) == 0 || l.err != nil {
		l.signal()
	}
	l.mu.Unlock()
	if again {
		if err := l.ask(); err != nil {
			l.fail(err)
		}
	}
}

func (l *loop) checkLocked(r rawclient.Response) {
	var buffer [markSize]byte
	mark := appendMark(buffer[:0], l.seed, r.ID)
	if l.expect != nil {
		if !l.expect.matches(r.Body, r.ID, mark) {
			l.faults.Wrong++
		}
		return
	}
	text := append(bytes.Clone(mark), l.text[markSize:]...)
	if l.expect, l.err = learn(r, l.request, text, mark); l.err != nil {
		l.faults.Wrong++
	}
}

func (l *loop) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
	l.signal()
}

func (l *loop) signal() {
	select {
	case l.idle <- struct{}{}:
	default:
	}
}

// count is how much was answered so far; from then on measuring is on or off.
func (l *loop) count(measuring bool) (answers int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.measuring = measuring
	return l.answers, l.err
}

// drain asks no more and waits for what is not answered, which is lost in the end.
func (l *loop) drain() (Faults, error) {
	l.mu.Lock()
	l.again = false
	waiting := len(l.asked) > 0
	l.mu.Unlock()
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	for waiting {
		select {
		case <-l.idle:
			l.mu.Lock()
			waiting = len(l.asked) > 0 && l.err == nil
			l.mu.Unlock()
		case <-l.client.Done():
			return l.ended(fmt.Errorf("bench: the connection has ended: %w", l.client.Err()))
		case <-timer.C:
			waiting = false
		}
	}
	return l.ended(nil)
}

func (l *loop) ended(err error) (Faults, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.faults
	f.Lost = len(l.asked)
	return f, errors.Join(err, l.err)
}
