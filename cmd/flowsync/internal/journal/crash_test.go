package journal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// childDir names the variable that makes this test binary a writer that never ends.
const childDir = "FLOWSYNC_JOURNAL_CHILD"

// child puts intents and tells of each that is written.
func child(dir string) {
	j, err := Open(Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var mu sync.Mutex
	room := make(chan struct{}, 500)
	for i := 0; ; i++ {
		room <- struct{}{}
		j.Put(record(fmt.Sprint(i)), func(err error) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Println(i, err)
			<-room
		})
		if i%3 == 2 {
			j.Delete("line/order", "u", fmt.Sprint(i-1))
		}
	}
}

// TestKilled: everything that was called back as written is there after SIGKILL.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		var written []int
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var n int
			var what string
			_, err := fmt.Sscan(lines.Text(), &n, &what)
			if err != nil {
				break // cut by the kill
			}
			require.Equal(t, "<nil>", what)
			if written = append(written, n); len(written) == 200*(round+1) {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait())
		require.GreaterOrEqual(t, len(written), 200*(round+1))
		records := load(t, dir)
		for _, n := range written {
			if n%3 != 1 { // the others may be deleted
				require.Contains(t, records, fmt.Sprint(n))
			}
		}
	}
}
