/**
 * A worker thread: simulates the points it is sent, one after the other, each on a kernel of its own. From source this file
 * is where the thread starts; the bundle is one file and starts itself again.
 */
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parentPort, Worker, workerData } from "node:worker_threads"
import { Effect, Result } from "effect"
import type { ScenarioFields } from "../../scenario/load.ts"
import {
  type BaseScenario,
  evaluatePoint,
  type PointOptions,
  type PointOutcome,
  type PointRequest,
  readBase
} from "../../planning/points.ts"
import { readCatalog, readFile } from "../files.ts"

/** Tells these threads from others. */
const ROLE = "vericache points"

/** A base, ahead of the first of its points. */
export interface BaseMessage {
  readonly run: number
  readonly base: BaseScenario
  readonly options: PointOptions
}

export interface PointMessage {
  readonly run: number
  readonly index: number
  readonly point: PointRequest
}

/** No more points of this run will come. */
export interface EndMessage {
  readonly run: number
  readonly ended: true
}

/** The thread has what it needs; if it ends before, no other will do better. */
export interface ReadyMessage {
  readonly ready: true
}

export interface OutcomeMessage {
  readonly run: number
  readonly index: number
  readonly outcome: PointOutcome
}

/** A new thread that simulates points. */
export const startWorker = (): Worker => {
  const here = fileURLToPath(import.meta.url)
  const entry = here.endsWith(".ts") ? join(dirname(here), "worker.ts") : here
  return new Worker(entry, { workerData: ROLE })
}

/** Whether this thread was started to simulate points, and not to run commands. */
export const isPointWorker = workerData === ROLE

const servePoints = (): void => {
  const catalog = Effect.runSync(readCatalog)
  const bases = new Map<number, { readonly fields: ScenarioFields; readonly options: PointOptions }>()
  /** A search asks again and again about one base: it is read once. */
  const read = new Map<string, ScenarioFields>()
  const fieldsOf = (base: BaseScenario): ScenarioFields => {
    const key = JSON.stringify(base)
    const fields = read.get(key) ?? Result.getOrThrow(readBase(base, readFile))
    read.set(key, fields)
    return fields
  }
  parentPort!.on("message", (message: BaseMessage | PointMessage | EndMessage) => {
    const { run } = message
    if ("ended" in message) {
      bases.delete(run)
      return
    }
    if ("base" in message) {
      bases.set(run, { fields: fieldsOf(message.base), options: message.options })
      return
    }
    const { index, point } = message
    const { fields, options } = bases.get(run)!
    const outcome = evaluatePoint(fields, point, readFile, catalog, options)
    parentPort!.postMessage({ run, index, outcome } satisfies OutcomeMessage)
  })
  parentPort!.postMessage({ ready: true } satisfies ReadyMessage)
}

if (isPointWorker) servePoints()
