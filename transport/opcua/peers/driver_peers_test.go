//go:build peers

package peers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// driver is the process with node-opcua's clients.
type driver struct {
	process *exec.Cmd
	input   io.WriteCloser
	ended   chan struct{} // its output is at its end

	// writing guards input. It is not mu: the driver may have to be heard before it reads on.
	writing sync.Mutex

	mu      sync.Mutex // guards all below; leaf
	last    int
	waiting map[int]chan reply
	events  map[string]chan event // by client
	faults  []string              // what node-opcua found impossible
	log     bytes.Buffer          // what it says on standard error
}

// reply is what the driver says to a command.
type reply struct {
	Result json.RawMessage
	Error  *refusal
}

// refusal is why a command failed. Status is empty if it was not the server that refused it.
type refusal struct{ Message, Status string }

func (r *refusal) Error() string { return r.Message }

// event is what happens to a client by itself.
type event struct {
	Event, Client, Node, Message string
	Value                        dataValue
	Session                      string
	SubscriptionID               uint32
}

var errDriverEnded = errors.New("the driver has ended")

// scratch is a folder for the certificates of all tests.
var scratch = sync.OnceValue(func() string {
	folder, err := os.MkdirTemp("", "flowsync-peers-")
	if err != nil {
		panic(err)
	}
	return folder
})

var (
	startOnce = sync.OnceValues(startDriver)
	running   atomic.Pointer[driver]
)

func theDriver(t testing.TB) *driver {
	t.Helper()
	d, err := startOnce()
	require.NoError(t, err, "these tests need node and node-opcua-client: run scripts/peers install")
	return d
}

func startDriver() (*driver, error) {
	d := &driver{ended: make(chan struct{}), waiting: map[int]chan reply{}, events: map[string]chan event{"": make(chan event, 1)}}
	d.process = exec.Command("node", filepath.Join("node", "driver.js"))
	d.process.Stderr = &locked{&d.mu, &d.log}
	var err error
	if d.input, err = d.process.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := d.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.process.Start(); err != nil {
		return nil, err
	}
	running.Store(d)
	go d.listen(output)
	select {
	case <-d.events[""]:
		return d, nil
	case <-d.ended:
	case <-time.After(patience):
	}
	return nil, fmt.Errorf("driver.js does not start: %s", d.said())
}

func stopDriver() {
	d := running.Load()
	if d == nil {
		return
	}
	d.input.Close()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.process.Process.Kill()
	}
	d.process.Wait()
}

// listen hands out what the driver says.
func (d *driver) listen(output io.Reader) {
	defer close(d.ended)
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var m struct {
			ID int
			reply
			event
		}
		if err := json.Unmarshal(line, &m); err != nil {
			m.event = event{Event: "fault", Message: fmt.Sprintf("%v: %s", err, line)}
		}
		d.hand(m.ID, m.reply, m.event)
	}
}

func (d *driver) hand(id int, r reply, e event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Event == "" {
		d.waiting[id] <- r
		delete(d.waiting, id)
		return
	}
	if e.Event == "fault" {
		d.faults = append(d.faults, e.Message)
		return
	}
	select {
	case d.events[e.Client] <- e:
	default: // nobody listens any more, or it is a flood
	}
}

func (d *driver) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// begin gives the driver a command and returns its number.
func (d *driver) begin(do string, arguments map[string]any) (int, <-chan reply, error) {
	done := make(chan reply, 1)
	command := map[string]any{"do": do}
	for name, value := range arguments {
		command[name] = value
	}
	d.mu.Lock()
	d.last++
	id := d.last
	d.waiting[id] = done
	d.mu.Unlock()
	command["id"] = id
	line, err := json.Marshal(command)
	if err != nil {
		return 0, nil, err
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	_, err = d.input.Write(append(line, '\n'))
	return id, done, err
}

// finish waits for the reply to a command and decodes its result into out, unless that is nil.
func (d *driver) finish(done <-chan reply, out any) error {
	select {
	case r := <-done:
		if r.Error != nil {
			return r.Error
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(r.Result, out)
	case <-d.ended:
		return fmt.Errorf("%w: %s", errDriverEnded, d.said())
	case <-time.After(patience):
		return fmt.Errorf("no reply from the driver for %v: %s", patience, d.said())
	}
}

func (d *driver) do(do string, arguments map[string]any, out any) error {
	_, done, err := d.begin(do, arguments)
	if err != nil {
		return err
	}
	return d.finish(done, out)
}

// locked is a buffer under somebody else's lock.
type locked struct {
	mu *sync.Mutex
	b  *bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
