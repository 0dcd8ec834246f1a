package http_test

import (
	"testing"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"
)

// dateClock is the goroutine that fasthttp starts with the first reply of the process and never
// ends; it keeps the time for the Date header. It must not begin in the bubble of a test with invented
// time, which would wait for it.
const dateClock = "github.com/valyala/fasthttp.updateServerDate.func1"

func TestMain(m *testing.M) {
	_ = new(fasthttp.ResponseHeader).Header()
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(dateClock))
}
