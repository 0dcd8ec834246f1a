package http_test

import (
	"testing"

	"go.uber.org/goleak"
)

// dateClock is the goroutine that fasthttp starts with the first reply of the process and never
// ends; it keeps the time for the Date header.
const dateClock = "github.com/valyala/fasthttp.updateServerDate.func1"

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(dateClock))
}
