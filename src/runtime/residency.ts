/** How much HBM a request in rounds takes: for the compressed KV that stays, and for the full KV a verify needs. */
import { contextPages, growingPages, localPages } from "./kv.ts"
import { layersAhead, streamsIntoVerify } from "./reloads.ts"
import type { Served } from "./served.ts"
import type { ServingSetup } from "./setup.ts"

/** KV entries that stay, in entries of full KV: the compressed context and the tokens since, which enter uncompressed. */
export const residentEntries = ({ plan }: ServingSetup, request: Served): number =>
  plan.keep * request.folded + (request.length - request.folded)

/** Pages for the KV that stays while a request drafts `ahead` tokens: all of it where nothing is reloaded. */
export const residentPages = (setup: ServingSetup, request: Served, ahead: number): number => {
  const length = request.length + ahead
  if (setup.plan.reload === "none") return contextPages(setup.layout, length)
  return compressedPages(setup, residentEntries(setup, request) + ahead, length)
}

/** Pages of the compressed KV of a context of `length` tokens that has `entries` in layers that keep all of it. */
const compressedPages = ({ layout, plan }: ServingSetup, entries: number, length: number): number =>
  growingPages(layout, entries) + Math.ceil(plan.keep * localPages(layout, length))

/** Layers of streamed KV in HBM at once beside those that came before: one is read while the next arrives. */
const STREAMED = 2

/** Share of a context's KV that HBM has room for while it streams and `ahead` of its `layers` came before. */
export const streamedShare = (layers: number, ahead: number): number =>
  Math.min(1, (ahead + STREAMED) / layers)

/** Pages of a whole context, of which the layers are here in turn. */
export const streamedPages = ({ layout, layers }: ServingSetup, tokens: number, ahead: number): number =>
  Math.ceil(contextPages(layout, tokens) * streamedShare(layers, ahead))

/** Pages a verify of a context that has grown by `ahead` needs besides those that stay. */
export const reloadPages = (setup: ServingSetup, request: Served, ahead: number): number => {
  if (setup.plan.reload === "none") return 0
  const lacking = lackingPages(setup, request, ahead)
  if (!streamsIntoVerify(setup)) return lacking
  const streamed = Math.ceil(lacking * streamedShare(setup.layers, request.layersAhead))
  return streamed + nextPages(setup, request, ahead)
}

/** Pages of full KV that a verify needs besides, all layers at once. */
const lackingPages = (setup: ServingSetup, request: Served, ahead: number): number => {
  const full = contextPages(setup.layout, request.length + ahead)
  return stagesWhole(setup) ? full : Math.max(0, full - request.pages)
}

/** Compressed KV is packed anew while layers stream through, beside the old, which stays until all of them have come. */
const packsBeside = (setup: ServingSetup): boolean => setup.plan.folds && streamsIntoVerify(setup)

/** Pages of the next compressed copy of a context that has grown by `ahead`. */
const nextPages = (setup: ServingSetup, { length }: Served, ahead: number): number =>
  packsBeside(setup) ? compressedPages(setup, setup.plan.keep * length + ahead, length + ahead) : 0

/** A verify's full KV lies whole beside the compressed one. */
const stagesWhole = ({ plan, engine }: ServingSetup): boolean =>
  plan.reload === "full" || engine.stagesWhole === true

/** Layers to bring before the verify of a context grown by `tokens`: as even use of the link has it, or as `pages` allow. */
export const planAhead = (
  setup: ServingSetup,
  request: Served,
  iterations: number,
  tokens: number,
  pages: number
): number => {
  let ahead = layersAhead(setup, iterations)
  if (!streamsIntoVerify(setup)) return ahead
  const room = pages - nextPages(setup, request, tokens)
  while (ahead > 0 && lackingPages(setup, request, tokens) * streamedShare(setup.layers, ahead) > room)
    ahead--
  return ahead
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
  const { plan, layout, layers, optimalWindow, tokensPerDraftStep } = setup
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
  const lacking = stagesWhole(setup) ? 1 : 1 - plan.keep
  const next = packsBeside(setup) ? plan.keep : 0
  const share = lacking * streamedShare(layers, layersAhead(setup, reloadIterations)) + next
  return resident + Math.ceil(share * Math.max(largest, mean * reloads))
}
