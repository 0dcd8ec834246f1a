package journal

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"
)

const (
	fileName = "keys.db"
	lockWait = time.Second
)

var (
	bucketName = []byte("keys")
	metaName   = []byte("flowsync")
	formatName = []byte("format")
)

// file is the open database, or none.
type file struct {
	path string
	db   *bbolt.DB
	info os.FileInfo // of what is open
	size int64       // that it had at least when it was last read or written, in bytes
	last int         // the number of the transaction that was written last
	// serving: requests wait for it, and whoever mends it has to stop them first.
	serving bool
	// broken is why it is not touched any more: a fault inside bbolt may leave its locks held.
	broken error
}

// open opens the file, and makes it if there is none. A link that leads nowhere is no missing file:
// what it leads to has the keys, and may only not be mounted.
func (f *file) open() error {
	info, err := os.Stat(f.path)
	switch {
	case err == nil && !info.Mode().IsRegular() && !info.IsDir(): // opening a folder says what it is
		return fmt.Errorf("journal: %s is no regular file: %s", f.path, remedy)
	case errors.Is(err, os.ErrNotExist):
		if to, err := os.Readlink(f.path); err == nil {
			return fmt.Errorf("journal: %s leads to %s: %w: is its disk mounted? If so, %s", f.path, to, os.ErrNotExist, remedy)
		}
		if err := f.create(); err != nil {
			return fmt.Errorf("journal: making %s: %w", f.path, err)
		}
	case err != nil:
		return fmt.Errorf("journal: %w", err)
	}
	if err := f.reopen(); err != nil {
		return err
	}
	f.sweep()
	return nil
}

// The list of free pages is written too: without it bbolt looks for them when it opens a file, on
// a goroutine of its own whose panic about a damaged file nobody could catch.
func options() *bbolt.Options {
	return &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType, OpenFile: openExisting}
}

// openExisting does not make a file where there is none.
func openExisting(path string, flag int, mode os.FileMode) (*os.File, error) {
	return os.OpenFile(path, flag&^os.O_CREATE, mode)
}

// reopen opens a file that is there, after closing it if it is open.
func (f *file) reopen() error {
	if err := f.close(); err != nil {
		return err
	}
	if info, err := os.Stat(f.path); err == nil && info.Size() == 0 {
		return f.damaged(errors.New("it is empty"))
	}
	err := f.guard(func() (err error) {
		f.db, err = bbolt.Open(f.path, 0o600, options())
		return err
	})
	switch {
	case err == nil:
	case f.broken != nil:
		return f.broken
	case errors.Is(err, bbolterrors.ErrTimeout):
		return fmt.Errorf("journal: %s is in use: is another flowsync running with this --state? Stop it, or give each a folder of its own", f.path)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("journal: %w: it must belong to the user that runs flowsync", err)
	case errors.As(err, new(*os.PathError)):
		return fmt.Errorf("journal: %w", err)
	default:
		return f.damaged(err)
	}
	if err := f.check(); err != nil {
		_ = f.db.Close() // the first error is the one to tell
		f.db = nil
		return err
	}
	return nil
}

// check looks for the signs of a file that is not, or no longer, ours.
func (f *file) check() error {
	return f.view(func(tx *bbolt.Tx) error {
		info, err := os.Stat(f.path)
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		f.info = info
		if f.note(tx); f.size > info.Size() {
			return f.cut(info)
		}
		meta := tx.Bucket(metaName)
		if meta == nil || tx.Bucket(bucketName) == nil {
			return f.damaged(errors.New("it is no journal of flowsync"))
		}
		if format := meta.Get(formatName); len(format) != 1 || format[0] != version {
			return fmt.Errorf("journal: %s has format %v, this flowsync knows format %d: run the version that wrote it, or %s", f.path, format, version, remedy)
		}
		return nil
	})
}

const remedy = "restore the file, or move it away: then all idempotency keys are forgotten, and requests that are sent again are carried out again"

var errDamaged = errors.New("is damaged")

func (f *file) damaged(why error) error {
	first := ""
	if f.serving {
		first = "stop flowsync, then "
	}
	return fmt.Errorf("journal: %s %w: %w: %s%s", f.path, errDamaged, why, first, remedy)
}

func (f *file) cut(info os.FileInfo) error {
	return f.damaged(fmt.Errorf("it has %d bytes, and should have %d", info.Size(), f.size))
}

func (f *file) view(read func(*bbolt.Tx) error) error {
	return f.guard(func() error { return f.db.View(read) })
}

// note keeps what the next write finds if nobody else has written.
func (f *file) note(tx *bbolt.Tx) { f.size, f.last = tx.Size(), tx.ID() }

// update writes, unless the file is no longer where a restart would look for it, or has been cut or
// overwritten with another state of it: bbolt would read beyond its end, or make it longer again, with
// zeros, or put what it writes where that state has something else.
func (f *file) update(write func(*bbolt.Tx) error) error {
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		return err
	case !os.SameFile(info, f.info):
		return errors.New("another file has taken its place")
	case info.Size() < f.size:
		return f.cut(info)
	}
	return f.guard(func() error {
		err := f.db.Update(func(tx *bbolt.Tx) error {
			if tx.ID() != f.last+1 {
				return f.damaged(errors.New("another state of it was written over it"))
			}
			return write(tx)
		})
		if err != nil {
			return err
		}
		return f.db.View(func(tx *bbolt.Tx) error {
			f.note(tx)
			return nil
		})
	})
}

// guard makes errors of the panics with which bbolt meets a damaged file, and of the faults with
// which the operating system meets reads of a mapped file that it cannot read.
func (f *file) guard(do func() error) (err error) {
	if f.broken != nil {
		return f.broken
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			f.broken = f.damaged(explain(fault))
			err = f.broken
		}
	}()
	return do()
}

// explain says what a panic means of which the cause is the file.
func explain(fault any) error {
	if _, read := fault.(interface{ Addr() uintptr }); read { // see debug.SetPanicOnFault
		return errors.New("a part of it cannot be read: it was cut, or its disk fails")
	}
	if err, ok := fault.(runtime.Error); ok {
		return fmt.Errorf("what is in it makes no sense (%w)", err)
	}
	return fmt.Errorf("%v", fault)
}

func (f *file) close() error {
	if f.db == nil || f.broken != nil {
		return f.broken
	}
	db := f.db
	f.db = nil
	return f.guard(db.Close)
}
