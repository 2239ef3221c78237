/** How much HBM a request in rounds takes: for the compressed KV that stays, and for the full KV a verify needs. */
import { contextPages, growingPages, localPages } from "./kv.ts"
import type { Served } from "./served.ts"
import type { ServingSetup } from "./setup.ts"

/** KV entries that stay, in entries of full KV: the compressed context and the tokens since, which enter uncompressed. */
export const residentEntries = ({ plan }: ServingSetup, request: Served): number =>
  plan.keep * request.folded + (request.length - request.folded)

/** Pages for the KV that stays while a request drafts `ahead` tokens: all of it where nothing is reloaded. */
export const residentPages = (setup: ServingSetup, request: Served, ahead: number): number => {
  const { layout, plan } = setup
  const length = request.length + ahead
  if (plan.reload === "none") return contextPages(layout, length)
  return (
    growingPages(layout, residentEntries(setup, request) + ahead) +
    Math.ceil(plan.keep * localPages(layout, length))
  )
}

/** Pages a verify of a context that has grown by `ahead` needs besides those that stay. */
export const reloadPages = (
  { layout, plan, engine }: ServingSetup,
  request: Served,
  ahead: number
): number => {
  if (plan.reload === "none") return 0
  const full = contextPages(layout, request.length + ahead)
  return plan.reload === "full" || engine.stagesWhole === true ? full : Math.max(0, full - request.pages)
}

/** Pages that stay of a request at its longest. */
const longestResident = ({ layout, plan, engine }: ServingSetup, { spec, context }: Served): number => {
  const longest = spec.input + spec.output
  if (context.mode === "full") return contextPages(layout, longest)
  const entries = plan.folds ? plan.keep * longest + engine.horizon : plan.keep * spec.input + spec.output
  return growingPages(layout, entries) + Math.ceil(plan.keep * localPages(layout, longest))
}

/**
 * Pages that requests served together will want at their longest: what stays of each, and full KV for as many reloads as must
 * be under way at once if windows are to stay near the optimum. Admitting within this keeps ADMIT from starving and windows
 * from drifting; 0 for methods that do not reload. `reloadIterations`: iterations of one reload, ℓ_r.
 */
export const plannedPages = (
  setup: ServingSetup,
  requests: readonly Served[],
  reloadIterations: number
): number => {
  const { plan, layout, engine, optimalWindow, tokensPerDraftStep } = setup
  if (plan.mode !== "rounds" || plan.reload === "none") return 0
  const resident = requests.reduce((sum, one) => sum + longestResident(setup, one), 0)
  if (plan.verifies === "remote") return resident
  const full = requests.map(({ spec }) => contextPages(layout, spec.input + spec.output))
  const mean = full.reduce((sum, pages) => sum + pages, 0) / requests.length
  const largest = full.reduce((most, pages) => Math.max(most, pages), 0)
  // A reload stands in HBM whole from its first window through its verify, so what counts is how many stand side by side.
  const iterations = Math.ceil(reloadIterations) + 1
  const reloads = Math.ceil(
    (requests.length * iterations) / (optimalWindow / tokensPerDraftStep + iterations)
  )
  const share = plan.reload === "full" || engine.stagesWhole === true ? 1 : 1 - plan.keep
  return resident + Math.ceil(share * Math.max(largest, mean * reloads))
}
