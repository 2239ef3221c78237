/**
 * A sweep of 1,000 points through the command line's own machinery (worker threads, journal, Parquet), with one worker and
 * with two. `node bench/sweep.ts WORKERS` measures one of them.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Result } from "effect"
import { packageRoot, readCatalog, readFile } from "../src/cli/files.ts"
import { pointWorkers } from "../src/cli/points/pool.ts"
import { JournalFile } from "../src/cli/sweep/journal-file.ts"
import { writeTable } from "../src/cli/sweep/output.ts"
import { headerOf, simulateMissing } from "../src/cli/sweep/run-sweep.ts"
import { parquetFormat } from "../src/planning/files/parquet.ts"
import { WHOLE } from "../src/planning/sweep/design.ts"
import { loadSweep } from "../src/planning/sweep/load-sweep.ts"
import { inChild } from "./child.ts"
import type { Section } from "./section.ts"

const POINTS = 1000

/** The demo under VeriCache alone, whole: 200 requests a point. */
const SWEEP = `name: benchmark
scenario: ${join(packageRoot(), "scenarios", "llama-70b-2xh100-long-context.yaml")}
methods: [VeriCache]
sample:
  method: sobol
  points: ${POINTS}
  axes:
    - { field: hardware.link.host_to_device, from: 25 GB/s, to: 100 GB/s, scale: log }
    - { field: methods.VeriCache.vericache.acceptance.alpha, from: 0.95, to: 0.99 }
    - { field: workload.arrivals.concurrency, from: 8, to: 24 }
`

interface Swept {
  /** CPU seconds of all threads, the compiler's and the garbage collector's too. */
  readonly cpu: number
  readonly wall: number
  /** CPU seconds of each worker thread; empty where the system does not tell. */
  readonly workers: readonly number[]
  /** CPU seconds of the main thread: journal, progress, results. */
  readonly main: number
}

/** CPU seconds of each thread of this process by its id, from Linux; a hundredth of a second is the finest it tells. */
const threads = (): ReadonlyMap<number, number> => {
  try {
    return new Map(
      readdirSync("/proc/self/task").map((id) => {
        const stat = readFileSync(`/proc/self/task/${id}/stat`, "utf8")
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
        return [Number(id), (Number(fields[11]) + Number(fields[12])) / 100]
      })
    )
  } catch {
    return new Map()
  }
}

const perform = async (workers: number): Promise<Swept> => {
  const folder = mkdtempSync(join(tmpdir(), "vericache-bench-"))
  const file = join(folder, "sweep.yaml")
  const sweep = Result.getOrThrow(
    loadSweep(
      file,
      (path) => (path === file ? new TextEncoder().encode(SWEEP) : readFile(path)),
      Effect.runSync(readCatalog)
    )
  )
  const header = headerOf(sweep, WHOLE, {})
  const before = threads()
  const start = process.cpuUsage()
  const clock = process.hrtime.bigint()
  let after = before
  await Effect.runPromise(
    Effect.gen(function* () {
      const journal = new JournalFile(join(folder, "journal"), header)
      yield* simulateMissing(sweep, header, journal, { write: () => {} })
      // Before the pool ends them.
      after = threads()
      yield* writeTable(join(folder, "out.parquet"), parquetFormat, header.columns, journal.rows().rows)
      journal.close()
    }).pipe(Effect.provide(pointWorkers(workers)))
  )
  const { user, system } = process.cpuUsage(start)
  const wall = Number(process.hrtime.bigint() - clock) * 1e-9
  rmSync(folder, { recursive: true })
  const others = [...after].filter(([id]) => id !== process.pid && !before.has(id)).map(([, cpu]) => cpu)
  return {
    cpu: (user + system) * 1e-6,
    wall,
    workers: others.toSorted((a, b) => b - a).slice(0, workers),
    main: (threads().get(process.pid) ?? 0) - (before.get(process.pid) ?? 0)
  }
}

export const sweep = async (): Promise<Section> => {
  const rows = []
  let alone: Swept | undefined
  for (const workers of [1, 2]) {
    const one = await inChild<Swept>("sweep.ts", [String(workers)])
    alone ??= one
    // On cores of their own, threads need as long as the busiest of them, and no less than an even share of all work.
    const span = Math.max(one.cpu / workers, ...one.workers)
    rows.push({
      workers,
      points: POINTS,
      cpuSeconds: one.cpu,
      pointsPerCpuSecond: POINTS / one.cpu,
      busiestWorkerSeconds: Math.max(0, ...one.workers),
      mainThreadSeconds: one.main,
      efficiencyPercent: (100 * alone.cpu) / workers / span,
      wallSeconds: one.wall
    })
  }
  return {
    name: "sweep",
    title: `Sweep: ${POINTS} points of the demo under VeriCache, 200 requests each, into a journal and Parquet`,
    columns: [
      { key: "workers", title: "workers" },
      { key: "points", title: "points" },
      { key: "cpuSeconds", title: "CPU s", digits: 1 },
      { key: "pointsPerCpuSecond", title: "points/CPU-s", digits: 1 },
      { key: "busiestWorkerSeconds", title: "busiest worker, CPU s", digits: 1 },
      { key: "mainThreadSeconds", title: "main thread, CPU s", digits: 1 },
      { key: "efficiencyPercent", title: "of linear", digits: 0, unit: " %" },
      { key: "wallSeconds", title: "wall s", digits: 1 }
    ],
    rows,
    notes: [
      "The demo has seven methods; a point here is one of them, so seven such points are one scenario of the demo.",
      "Of linear: CPU time with one worker over that of the busiest thread (or an even share of all threads' time) with more, times their number: what cores",
      "that nobody else uses would show. Wall time says the same only on such cores. Started and compiled afresh each time. Aim: at least 90 % with two."
    ]
  }
}

if (import.meta.main) console.log(JSON.stringify(await perform(Number(process.argv[2]))))
