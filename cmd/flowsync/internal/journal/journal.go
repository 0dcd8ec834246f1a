package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/core/idempotency"
)

// Options of a journal.
type Options struct {
	// Dir is the folder; it is made if it is not there. Required.
	Dir string
	// Logger hears when the file cannot be written, and when it can be again. nil: slog.Default().
	Logger *slog.Logger
}

// Stats are the counters of a journal.
type Stats struct {
	Commits  uint64 // groups that are on disk
	Records  uint64 // records in them, deletions included
	Failures uint64 // records that could not be written, or found the queue full; not deletions that are tried again
	Queue    int    // records that wait to be written, or are being written
}

// bounds of what waits to be put, and of a group, in records and bytes. Tests have smaller ones.
type bounds struct{ queue, queueBytes, group, groupBytes int }

// manyDeletions is how many times as long as puts alone the queue may get by deletions. There are
// not many more of them than of puts, unless the disk hangs.
const manyDeletions = 4

var standard = bounds{queue: 65_536, queueBytes: 64 << 20, group: 4096, groupBytes: 8 << 20}

var (
	errFull   = fmt.Errorf("%w: too many records wait to be written", core.ErrShed)
	errClosed = errors.New("journal: it is closed")
)

// Journal is an [idempotency.Store]. All methods may be called from many goroutines at once.
type Journal struct {
	file    file
	bounds  bounds
	logger  *slog.Logger
	wake    chan struct{} // one token: something waits
	stopped chan struct{}

	// Below: the writer's, until it has stopped.
	failing    bool // the last group could not be written
	loud       bool // that was logged
	complained time.Time
	err        error // of closing the file

	mu      sync.Mutex // guards all below; leaf: nothing blocks, no callback
	queue   []step
	puts    int // in the queue, deletions not counted
	bytes   int // of the queue
	stats   Stats
	closing bool
}

// step is one record to write, or to delete if there is no text.
type step struct {
	place place
	text  []byte
	done  func(error) // nil: of a deletion
}

// Open opens the journal of a folder, or makes it. It waits a second at most for another process
// that has it open. The error says which file is meant and what to do.
func Open(options Options) (*Journal, error) { return open(options, standard) }

func open(options Options, most bounds) (*Journal, error) {
	if options.Dir == "" {
		return nil, errors.New("journal: Dir is required")
	}
	if options.Logger == nil {
		options.Logger = slog.Default()
	}
	j := &Journal{
		file: file{path: filepath.Join(options.Dir, fileName)}, bounds: most, logger: options.Logger,
		wake: make(chan struct{}, 1), stopped: make(chan struct{}),
	}
	if err := j.file.open(); err != nil {
		return nil, err
	}
	go j.run()
	return j, nil
}

// Load implements [idempotency.Store]. A record that cannot be read is an error: there is no
// telling which key it was of. It must not be called at the same time as Put and Delete.
func (j *Journal) Load(take func(*idempotency.Record)) error {
	return j.file.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketName).ForEach(func(_, text []byte) error {
			record, err := decode(text)
			if err != nil {
				return j.file.damaged(fmt.Errorf("a record: %w", err))
			}
			take(record)
			return nil
		})
	})
}

// Put implements [idempotency.Store].
func (j *Journal) Put(record *idempotency.Record, done func(error)) {
	err := j.push(step{placeOf(record.Node, record.User, record.Key), encode(record), done})
	if err != nil {
		done(err)
	}
}

// Delete implements [idempotency.Store].
func (j *Journal) Delete(node, user, key string) {
	_ = j.push(step{place: placeOf(node, user, key)}) // after Close it is known again, see Store
}

func (j *Journal) push(s step) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.closing:
		return errClosed
	case s.text != nil && (j.puts >= j.bounds.queue || j.bytes+len(s.text) > j.bounds.queueBytes),
		s.text == nil && len(j.queue) >= manyDeletions*j.bounds.queue:
		j.stats.Failures++
		return errFull
	}
	j.queue = append(j.queue, s)
	j.bytes += len(s.text)
	if s.text != nil {
		j.puts++
	}
	j.stats.Queue++
	select {
	case j.wake <- struct{}{}:
	default:
	}
	return nil
}

// Stats returns the counters.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stats
}

// Close writes what waits, as far as the disk lets it, and closes the file. Puts that come later
// fail. It takes as long as the disk does.
func (j *Journal) Close() error {
	j.mu.Lock()
	if !j.closing {
		j.closing = true
		close(j.wake)
	}
	j.mu.Unlock()
	<-j.stopped
	return j.err
}
