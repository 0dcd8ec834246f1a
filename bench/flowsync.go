package bench

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
)

var program = flag.String("bench.flowsync", "", "the flowsync to measure, instead of one that is built from the source here")

// built is the flowsync that is measured.
var built struct {
	sync.Mutex
	folder, file string
}

// flowsyncFile is the program, built once for all.
func flowsyncFile() (string, error) {
	if *program != "" {
		return *program, nil
	}
	built.Lock()
	defer built.Unlock()
	if built.file != "" {
		return built.file, nil
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return "", fmt.Errorf("bench: where %s is: %w", module, err)
	}
	if built.folder, err = os.MkdirTemp("", "flowsync-bench-"); err != nil {
		return "", err
	}
	file := filepath.Join(built.folder, "flowsync")
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	build := exec.Command("go", "build", "-o", file, "./cmd/flowsync")
	build.Dir = strings.TrimSpace(string(root)) // in the module itself, whose go.sum has everything
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("bench: building flowsync: %w\n%s", err, out)
	}
	built.file = file
	return file, nil
}

const module = "github.com/flowsync-go/flowsync"

// clean removes what was built.
func clean() error {
	built.Lock()
	defer built.Unlock()
	folder := built.folder
	built.folder, built.file = "", ""
	if folder == "" {
		return nil
	}
	return os.RemoveAll(folder)
}

// commissioning is what the gateway serves. QoS is that of requests.
const commissioning = `description: The routes that benchmarks ask
metadata: {name: bench}
resources:
  http: {type: Cybus::Server::Http, properties: {basePath: /}}
  echo:
    type: Cybus::Node::Http
    properties: {parent: !ref http, method: POST, route: /echo, operation: transaction, qos: %d, transaction: {timeout: 10000}}
  hold:
    type: Cybus::Node::Http
    properties: {parent: !ref http, method: POST, route: /hold, operation: transaction, qos: %[1]d, transaction: {timeout: 3600000}}
`

// shown is how flowsync tells where it listens.
var shown = regexp.MustCompile(`^  (HTTP|broker|admin) +[a-z.]+://([0-9.:]+)`)

// where is where a flowsync listens, host:port.
type where struct{ http, broker, admin string }

// flowsync starts "flowsync run" with the routes of this package on free ports, and whatever else
// the arguments say.
func (s *Site) flowsync(qos int, args ...string) (w where, err error) {
	file, err := s.File("bench.yaml", fmt.Sprintf(commissioning, qos))
	if err != nil {
		return w, err
	}
	return s.flowsyncWith(file, args...)
}

// flowsyncWith serves another commissioning file.
func (s *Site) flowsyncWith(file string, args ...string) (w where, err error) {
	name, err := flowsyncFile()
	if err != nil {
		return w, err
	}
	ready := func(line string) bool {
		if m := shown.FindStringSubmatch(line); m != nil {
			*map[string]*string{"HTTP": &w.http, "broker": &w.broker, "admin": &w.admin}[m[1]] = m[2]
		}
		return strings.HasPrefix(line, "Stop with")
	}
	args = append(args, s.limits...)
	args = append([]string{"run", file, "--http", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-transactions", "none"}, args...)
	if err := s.Run(Gateway, ready, name, args...); err != nil {
		return w, err
	}
	if w.http == "" || w.admin == "" {
		return w, errors.New("bench: flowsync does not tell where it listens")
	}
	s.admin = w.admin
	return w, nil
}

// Respond starts "flowsync respond" for a topic at a broker, host:port, and returns when it has
// subscribed.
func (s *Site) Respond(broker, topic string, qos int, args ...string) error {
	name, err := flowsyncFile()
	if err != nil {
		return err
	}
	subscribed := func(line string) bool { return strings.Contains(line, "msg=responding") }
	return s.Run(Responder, subscribed, name, append([]string{"respond", "--broker", "mqtt://" + broker, "--qos", fmt.Sprint(qos), topic}, args...)...)
}
