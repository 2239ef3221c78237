/** What the page asks the simulation worker, and what comes back. Plain data; a newer question of a kind cancels the older. */
import type { Basis, Method } from "../../scenario/resolved.ts"
import type { Column, Row } from "../../planning/files/table.ts"
import type { Fault } from "../../scenario/fault.ts"
import type { RunMetrics } from "../../trace/metrics.ts"
import type { Change } from "../shell/page-state.ts"
import type { TraceView } from "../shell/traces.ts"

/** A file that was opened here. */
export interface TextFile {
  readonly name: string
  readonly text: string
}

/** A scenario to be simulated: a file that comes with vericache or a text, with fields changed. */
export interface ScenarioSource {
  readonly file: string
  readonly text: string | undefined
  readonly changes: readonly Change[]
}

export type Request =
  /** Resolves and simulates: `scenario` first, then a `method` for each, then `done`. */
  | { readonly kind: "simulate"; readonly source: ScenarioSource }
  /** Reads the scenario and no more: `checked`, then `done`. */
  | { readonly kind: "check"; readonly source: ScenarioSource }
  /** Throughput over draft windows, by theory and simulation: the `optimum` of theory, a `window` for each, then `done`. */
  | { readonly kind: "windows"; readonly source: ScenarioSource; readonly method: number }
  /** VeriCache over full KV by the closed forms over link bandwidth × context: a `row` for each link, then `done`. */
  | { readonly kind: "breakEven"; readonly source: ScenarioSource; readonly method: number }
  /** What would serve more: an `advice` for each change that was simulated, then `done`. */
  | { readonly kind: "advice"; readonly source: ScenarioSource; readonly method: number }
  /** Simulates one method with a recorder: a `trace`, then `done`. */
  | { readonly kind: "trace"; readonly source: ScenarioSource; readonly method: number }
  /** The scenario of a row of a sweep's results: a `point`, then `done`. Files: the sweep's first, then what it names. */
  | {
      readonly kind: "point"
      readonly files: readonly TextFile[]
      readonly columns: readonly Column[]
      readonly row: Row
    }

export interface MethodSummary {
  readonly name: string
  readonly kind: Method["kind"]
  readonly lossless: boolean
}

/** A field a slider or a picker sets. */
export interface Control {
  readonly label: string
  readonly field: string
  /** What it means, for hover. */
  readonly definition: string
  readonly basis: Basis
  readonly source: string
  /** In `unit`; a name for pickers; undefined where the scenario has nothing of the kind. */
  readonly value: number | string | undefined
  /** Unit as shown and as put behind the number in the scenario file. */
  readonly unit: string
  readonly range: { readonly min: number; readonly max: number; readonly log: boolean } | undefined
  readonly options: readonly string[] | undefined
}

export interface ScenarioSummary {
  readonly name: string
  readonly description: string
  readonly baseline: string
  readonly requests: number
  readonly seed: number
  readonly methods: readonly MethodSummary[]
  readonly controls: readonly Control[]
  /** The YAML as it is with the changes in. */
  readonly text: string
  readonly files: readonly string[]
}

export type MethodOutcome =
  | {
      readonly kind: "simulated"
      readonly metrics: RunMetrics
      /** Requests simulated; fewer than the scenario's in a quick look that comes before the whole run. */
      readonly requests: number
      /** By the closed forms, tokens/s of all groups; undefined where they do not speak. */
      readonly theory: number | undefined
      /** What makes the figures weaker evidence than others. */
      readonly caveats: readonly string[]
      /** They go beyond measured kernel times. */
      readonly extrapolated: boolean
    }
  | { readonly kind: "failed"; readonly reason: string }

export type Response =
  | { readonly kind: "scenario"; readonly summary: ScenarioSummary }
  | {
      readonly kind: "faults"
      readonly faults: readonly Fault[]
      readonly files: readonly string[]
      readonly text: string
    }
  /** What is wrong with a text; nothing: it can be simulated. */
  | { readonly kind: "checked"; readonly faults: readonly Fault[] }
  | { readonly kind: "method"; readonly index: number; readonly outcome: MethodOutcome }
  /** The best window by the closed forms, tokens, and what all groups serve there, tok/s. */
  | { readonly kind: "optimum"; readonly window: number; readonly theory: number }
  | {
      readonly kind: "window"
      readonly window: number
      readonly theory: number | undefined
      readonly simulated: number | undefined
    }
  /** Speed-ups over full KV; undefined where full KV or the method serves nobody. Links in bytes/s, contexts in tokens. */
  | {
      readonly kind: "row"
      readonly index: number
      readonly link: number
      readonly links: readonly number[]
      readonly contexts: readonly number[]
      readonly speedups: readonly (number | undefined)[]
    }
  /** The scenario with one change, simulated: tok/s. */
  | { readonly kind: "advice"; readonly label: string; readonly change: Change; readonly throughput: number }
  | { readonly kind: "trace"; readonly name: string; readonly trace: TraceView }
  /** `method`: place of the row's method in the scenario. */
  | { readonly kind: "point"; readonly file: string; readonly text: string; readonly method: number }
  | { readonly kind: "problem"; readonly message: string }
  | { readonly kind: "done" }

/** `id` tells questions apart; `cancel` ends one that nobody waits for any more; `own` are files that scenarios may name from now on. */
export type ToWorker =
  | { readonly own: readonly TextFile[] }
  | { readonly id: number; readonly request: Request }
  | { readonly id: number; readonly cancel: true }
export interface FromWorker {
  readonly id: number
  readonly response: Response
}
