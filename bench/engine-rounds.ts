/** Ten thousand rounds of a tiny model on the software adapter: what the process and the device hold on the way. A process of its own. */
import { manyRounds, type Holding } from "../src/engine/many-rounds.fixture.ts"
import type { Section } from "./section.ts"

const ROUNDS = Number(process.argv[2] ?? 10_000)
const CONCURRENCY = 12
/** Moments told of besides the end. */
const MOMENTS = 10

const MiB = 2 ** 20

const rows: Record<string, string | number>[] = []
const row = ({ rounds, requests, buffers, bufferBytes, pages, hostBytes }: Holding, when: string) => {
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  rows.push({
    when,
    rounds,
    requests,
    buffers,
    bufferMiB: bufferBytes / MiB,
    pages,
    hostKiB: hostBytes / 1024,
    heapMiB: heapUsed / MiB,
    externalMiB: external / MiB,
    rssMiB: rss / MiB
  })
}

let next = 0
let last: Holding | undefined
await manyRounds(ROUNDS, CONCURRENCY, (holding) => {
  if (holding.buffers > 0) last = holding
  if (holding.buffers === 0) {
    row(last!, "all served")
    row({ ...holding, rounds: last!.rounds }, "closed")
  } else if (holding.rounds >= next && holding.requests > 0) {
    row(holding, "running")
    next += ROUNDS / MOMENTS
  }
})

const section: Section = {
  name: "rounds",
  title: `Rounds without growth: a tiny random model, ${CONCURRENCY} requests at once, SnapKV, reload: missing`,
  columns: [
    { key: "when", title: "when" },
    { key: "rounds", title: "rounds" },
    { key: "requests", title: "requests" },
    { key: "buffers", title: "buffers" },
    { key: "bufferMiB", title: "MiB", digits: 2 },
    { key: "pages", title: "pages" },
    { key: "hostKiB", title: "host pool KiB", digits: 0 },
    { key: "heapMiB", title: "heap MiB", digits: 2 },
    { key: "externalMiB", title: "external MiB", digits: 2 },
    { key: "rssMiB", title: "RSS MiB", digits: 0 }
  ],
  rows,
  notes: ["heap: after a full collection; all on the software adapter, whose device memory is in RSS too"]
}
console.log(JSON.stringify(section))
process.exit(0)
