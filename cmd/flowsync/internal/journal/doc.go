// Package journal keeps idempotency keys on a disk: it is the store of [idempotency.Table], a file
// keys.db of bbolt (a B+tree that is copied on write) in the state folder.
//
// One goroutine writes. It takes all that waits, up to a bound, writes it in one transaction, and
// calls back when that is on disk (fdatasync, twice for each transaction: for the pages, and for the
// page that makes them count). So while one group is written the next one gathers: the slower the
// disk, the larger the groups, and requests wait for two groups at most.
//
// # What a crash can lose
//
// Nothing that was called back as written, if the disk keeps what it says that it has synced: a
// process that is killed, a power failure in the midst of a write, a full disk. What was not called
// back may be there or not; as a whole, never in parts. Both are harmless to keys: a request leaves
// only after the call.
//
// What is lost with the file itself, or with a disk that lies, is lost. A file that is damaged is
// refused with an error. It is never replaced by a new one, because that would forget keys, and
// requests that are sent again would be carried out again.
//
// # Trouble with the disk
//
// When a group cannot be written, it fails as a whole, with all that waits to be put; deletions are
// kept and tried again. The file is opened anew before the next group, so that nothing of the failed
// transaction is built upon. When there is space again it goes on by itself. It needs some even to
// delete, since it copies on write: a disk that nothing but the journal has filled must be made larger.
// The file takes as much space as all keys and replies at a time have ever taken, about twice; it
// does not shrink.
//
// A file that is cut while it is open, or overwritten, be it with an older state of it, fails in the same
// way, with an error that says so. If it can be opened at the next write it goes on with what is there;
// until then nothing is written to it, and where the damage was found by a fault inside bbolt only a
// restart helps. What it does not have any more is known in memory alone.
package journal
