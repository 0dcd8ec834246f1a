package journal

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// run writes groups until the journal is closed and nothing waits.
func (j *Journal) run() {
	defer close(j.stopped)
	for open := true; open; {
		_, open = <-j.wake
		for group := j.group(); len(group) > 0; group = j.group() {
			err := j.write(group)
			j.report(err)
			if err != nil {
				j.fail(j.giveUp(group), err)
				break // until there is more to write, or the journal is closed
			}
			j.settle(group)
		}
	}
	j.err = j.file.close()
}

// group takes what waits, up to a bound.
func (j *Journal) group() []step {
	j.mu.Lock()
	defer j.mu.Unlock()
	n, bytes := 0, 0
	for n < len(j.queue) && n < j.bounds.group && (n == 0 || bytes+len(j.queue[n].text) <= j.bounds.groupBytes) {
		bytes += len(j.queue[n].text)
		if j.queue[n].text != nil {
			j.puts--
		}
		n++
	}
	group := j.queue[:n:n]
	if j.queue = j.queue[n:]; len(j.queue) == 0 {
		j.queue = nil
	}
	j.bytes -= bytes
	return group
}

// giveUp takes everything out that fails with a group: all that waits to be put, since requesters
// wait for it, and who knows when the disk can be written again. Deletions stay, before all that
// comes later, once for each record and up to a bound: what is deleted too late does no harm.
func (j *Journal) giveUp(group []step) (failed []step) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var owed []step
	seen := map[place]bool{}
	for _, steps := range [][]step{group, j.queue} {
		for _, s := range steps {
			switch {
			case s.text == nil && seen[s.place]:
				j.stats.Queue--
			case s.text == nil && len(owed) < j.bounds.queue:
				seen[s.place] = true
				owed = append(owed, s)
			default:
				failed = append(failed, s)
			}
		}
	}
	j.queue, j.puts, j.bytes = owed, 0, 0
	return failed
}

// write writes a group as a whole. After a failure the file is opened anew, since bbolt may take
// what it could not sync for written.
func (j *Journal) write(group []step) error {
	j.file.serving = true
	if j.failing || j.file.db == nil {
		if err := j.file.reopen(); err != nil {
			return err
		}
	}
	err := j.file.update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(bucketName)
		for i := range group {
			if err := group[i].apply(bucket); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDamaged) { // which says where it comes from
		return fmt.Errorf("journal: writing %s: %w", j.file.path, err)
	}
	return err
}

func (s *step) apply(bucket *bbolt.Bucket) error {
	if s.text == nil {
		return bucket.Delete(s.place[:])
	}
	return bucket.Put(s.place[:], s.text)
}

// settle counts what was written and calls back, in order.
func (j *Journal) settle(group []step) {
	j.mu.Lock()
	j.stats.Queue -= len(group)
	j.stats.Commits++
	j.stats.Records += uint64(len(group))
	j.mu.Unlock()
	for i := range group {
		group[i].call(nil)
	}
}

// fail does so for what was not.
func (j *Journal) fail(steps []step, err error) {
	j.mu.Lock()
	j.stats.Queue -= len(steps)
	j.stats.Failures += uint64(len(steps))
	j.mu.Unlock()
	for i := range steps {
		steps[i].call(err)
	}
}

func (s *step) call(err error) {
	if s.done != nil {
		s.done(err)
	}
}

// complainEvery bounds how often it is logged that writing fails.
const complainEvery = 10 * time.Second

// report logs when writing begins to fail, and when it succeeds again.
func (j *Journal) report(err error) {
	j.failing = err != nil
	switch now := time.Now(); {
	case j.failing && now.Sub(j.complained) >= complainEvery:
		j.complained, j.loud = now, true
		j.logger.Error("idempotency keys cannot be written, requests with new ones are refused", "error", err)
	case !j.failing && j.loud:
		j.loud = false
		j.logger.Info("idempotency keys can be written again", "file", j.file.path)
	}
}
