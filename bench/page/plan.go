package main

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// plan is what one needs for a rate of requests and a time in which they are answered:
//
//	cores       = rate × CPU of a request / utilisation
//	held        = rate × time of an answer (Little's law)
//	memory      = what an idle gateway has + held × what a held request takes
//	connections = held, since HTTP/1.1 has one request on a connection
//	messages    = 2 × rate
//	brokers     = rate / what one broker carries, rounded up
type plan struct {
	CPU         figure // µs of a request, of the gateway
	Utilisation figure // of cores, that is planned with, 0 to 1
	Base        figure // bytes of an idle gateway
	Held        figure // bytes of a held request with its connection
	Broker      figure // requests a second that one broker carries
}

var (
	plannedRates = []float64{100, 1_000, 5_000, 10_000, 20_000, 50_000} // a second
	plannedTimes = []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second}
)

// measuredCores is what all figures were measured on; more are a model.
const measuredCores = 2

func newPlan(numbers ...any) (plan, error) {
	var p plan
	fields := []*figure{&p.CPU, &p.Utilisation, &p.Base, &p.Held, &p.Broker}
	if len(numbers) != len(fields) {
		return p, fmt.Errorf("plan has %d numbers, and needs %d", len(numbers), len(fields))
	}
	for i, n := range numbers {
		f, err := toFigure(n)
		if err != nil {
			return p, err
		}
		if f.mid <= 0 {
			return p, fmt.Errorf("plan: number %d is %v, and must be above zero", i+1, f)
		}
		*fields[i] = f
	}
	return p, nil
}

// Cores that a rate keeps as busy as planned.
func (p plan) Cores(rate float64) float64 { return rate * p.CPU.mid / 1e6 / p.Utilisation.mid }

// Brokers that carry a rate.
func (p plan) Brokers(rate float64) float64 {
	return math.Ceil(rate / p.Broker.mid)
}

// Memory in bytes with so many held.
func (p plan) Memory(held float64) float64 { return p.Base.mid + held*p.Held.mid }

// Table has a row for each rate, and columns for each time of answers.
func (p plan) Table() string {
	head := []string{"requests/s", "cores, gateway only", "MQTT messages/s", "brokers, with a gateway each"}
	for _, t := range plannedTimes {
		head = append(head, "answered in "+inTime(t))
	}
	rows := []string{line(head...), "|" + strings.Repeat("---|", len(head))}
	for _, rate := range plannedRates {
		rows = append(rows, line(p.columns(rate)...))
	}
	return strings.Join(rows, "\n")
}

// Load is the table without what is held, which is the same at every QoS. A request with its answer
// makes so many packets.
func (p plan) Load(packets int) string {
	rows := []string{line("requests/s", "cores, gateway only", "MQTT packets/s", "brokers, with a gateway each"), "|---|---|---|---|"}
	for _, rate := range plannedRates {
		rows = append(rows, line(p.load(rate, packets)...))
	}
	return strings.Join(rows, "\n")
}

func (p plan) load(rate float64, packets int) []string {
	return []string{grouped(rate), p.cores(rate), grouped(float64(packets) * rate), grouped(p.Brokers(rate))}
}

func (p plan) columns(rate float64) []string {
	columns := p.load(rate, 2)
	for _, t := range plannedTimes {
		held := math.Ceil(rate * t.Seconds())
		columns = append(columns, grouped(held)+" · "+inBytes(p.Memory(held)))
	}
	return columns
}

func (p plan) cores(rate float64) string {
	cores := p.Cores(rate)
	text := digits(math.Ceil(cores*100) / 100)
	if cores > measuredCores {
		text += " (model)"
	}
	return text
}

// inBytes writes a number of bytes in the unit that fits.
func inBytes(v float64) string {
	for _, u := range []struct {
		factor float64
		name   string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if v >= u.factor {
			return digits(v/u.factor) + "\u00a0" + u.name
		}
	}
	return digits(v) + "\u00a0B"
}

// inTime writes a time of milliseconds or seconds.
func inTime(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d\u00a0ms", d.Milliseconds())
	}
	return digits(d.Seconds()) + "\u00a0s"
}
