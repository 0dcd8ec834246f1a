package journal

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// limitedTest names the variable that says that this process is that of one test.
const limitedTest = "FLOWSYNC_JOURNAL_LIMITED"

// runsElsewhere runs the test in a process of its own, unless this is one. What [limitFiles] limits is the
// process, and go test has the test binary write a log of the files that tests open: when that
// could not be written all tests would have failed.
func runsElsewhere(t *testing.T) bool {
	t.Helper()
	if os.Getenv(limitedTest) != "" {
		return false
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), limitedTest+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return true
}

// limitFiles makes writes fail, as a full disk does, that go beyond so many bytes of a file.
func limitFiles(t *testing.T, limit uint64) (unlimit func()) {
	t.Helper()
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: before.Max}))
	unlimit = sync.OnceFunc(func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) })
	t.Cleanup(unlimit)
	return unlimit
}
