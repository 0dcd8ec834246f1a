// Package admin is what an operator sees of a running gateway: health for whoever supervises
// it, metrics for Prometheus, and a plain page for people. It has an HTTP server of its own, on
// an address of its own, made with net/http: nothing here is on the path of a transaction but
// the two observers, [Metrics] and [Recent].
//
// # What is served
//
//   - /healthz: 200 as long as the process can answer at all.
//   - /readyz: 200 while requests can be served, else 503; JSON with the reasons.
//   - /metrics: Prometheus text or OpenMetrics, as the scraper asks.
//   - /api/late: the latest answers that completed nothing, as JSON; ?node= and ?kind= choose.
//   - /: the nodes with their counters, and the latest answers that completed nothing. Plain
//     HTML made here, without script and without anything from elsewhere.
//
// # Where the figures come from
//
// The engine counts, [Metrics] reads: counters are taken from [core.Engine.Stats] at each
// scrape, a node's all at once, so that within one scrape begun = held + the sum over the
// outcomes. Only durations are observed one by one, in histograms that are found by node
// and outcome without a label in between. The page reads the same counters.
//
// # What bounds it
//
// Connections, header size, all times, scrapes at a time; 256 strays, with 256 bytes of each
// one's payload; 200 nodes on the page. Everybody who can reach the address may read all of
// it: it has no login. [Options].Guard keeps web pages of others out.
package admin
