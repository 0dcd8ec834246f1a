package idempotency

import (
	"errors"
	"sync"

	"github.com/flowsync-go/flowsync/core"
)

// wire is the bus behind the table: it keeps what left, and answers when the test says so.
type wire struct {
	mu     sync.Mutex
	sink   core.Sink
	left   []*core.Request
	err    error                // of the next Publish
	unsent bool                 // requests wait, and are not handed over
	reply  func(core.ID) string // answers before Publish returns
	attach error
}

func (w *wire) Bind(s core.Sink)        { w.sink = s }
func (w *wire) Attach(*core.Node) error { return w.attach }

func (w *wire) Publish(r *core.Request) error {
	w.mu.Lock()
	err, unsent, reply := w.err, w.unsent, w.reply
	w.err = nil
	w.mu.Unlock()
	if err != nil {
		return err
	}
	if !unsent && !w.sink.Sent(r.ID) {
		return nil
	}
	w.mu.Lock()
	w.left = append(w.left, r.Clone())
	w.mu.Unlock()
	if reply != nil {
		w.sink.Resolve(core.Answer{Node: r.Node, Payload: []byte(reply(r.ID))})
	}
	return nil
}

func (w *wire) requests() []*core.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*core.Request(nil), w.left...)
}

func (w *wire) set(change func(*wire)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

// disk is a store in memory: what was committed survives into the next table.
type disk struct {
	mu      sync.Mutex
	records map[scope]Record
	queue   []func() // what waits to be committed, if it is held
	held    bool
	err     error // of every Put
	loadErr error
	log     []string
}

func newDisk() *disk { return &disk{records: map[scope]Record{}} }

func (d *disk) Put(r *Record, done func(error)) {
	d.do(func() {
		d.mu.Lock()
		err := d.err
		what := "intent"
		if r.Message != nil {
			what = "reply"
		}
		d.log = append(d.log, what+" "+r.Key)
		if err == nil {
			d.records[scope{r.Node, r.User, r.Key}] = *r
		}
		d.mu.Unlock()
		done(err)
	})
}

func (d *disk) Delete(node, user, key string) {
	d.do(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.log = append(d.log, "delete "+key)
		delete(d.records, scope{node, user, key})
	})
}

func (d *disk) do(step func()) {
	d.mu.Lock()
	if d.held {
		d.queue = append(d.queue, step)
		d.mu.Unlock()
		return
	}
	d.mu.Unlock()
	step()
}

// commit does so many of the steps that wait; negative: all, and what comes later at once.
func (d *disk) commit(n int) {
	for ; n != 0; n-- {
		d.mu.Lock()
		if len(d.queue) == 0 {
			d.held = d.held && n > 0
			d.mu.Unlock()
			return
		}
		step := d.queue[0]
		d.queue = d.queue[1:]
		d.mu.Unlock()
		step()
	}
}

func (d *disk) set(change func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *disk) Load(take func(*Record)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.records {
		take(&r)
	}
	return d.loadErr
}

var errDisk = errors.New("/var/lib/x/keys.db: no space left on device")
