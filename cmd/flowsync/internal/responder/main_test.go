package responder

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	for _, variable := range os.Environ() { // what the machine sets is not what is tested
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "FLOWSYNC_") {
			os.Unsetenv(name)
		}
	}
	goleak.VerifyTestMain(m)
}
