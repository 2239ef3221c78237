import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { initialTransition, transition } from "xstate"
import { createTestModel } from "xstate/graph"
import { requestMachine } from "./request.machine.ts"
import { requestTable, type Steppable } from "./table.ts"
import type { Mode, RequestCommand, RequestEvent, RequestInput } from "./vocabulary.ts"

const EVENTS: readonly RequestEvent[] = [
  { type: "ADMITTED", context: "prefill" },
  { type: "ADMITTED", context: "fetch" },
  { type: "PREFILLED", tokens: 1 },
  { type: "PREFILLED", tokens: 0 },
  { type: "FETCHED" },
  { type: "FETCH_FAILED" },
  { type: "SCHEDULED", window: 2 },
  { type: "SCHEDULED", window: 0 },
  { type: "DEFERRED" },
  { type: "RELOAD_STARTED" },
  { type: "RELOADED" },
  { type: "RELOAD_FAILED" },
  { type: "DRAFTED", tokens: 2 },
  { type: "VERIFIED", drafted: 2, accepted: 0 },
  { type: "VERIFIED", drafted: 2, accepted: 2 },
  { type: "STEPPED", tokens: 1 },
  { type: "STEPPED", tokens: 3 },
  { type: "PREEMPT" },
  { type: "REJECTED" },
  { type: "CANCEL" },
  { type: "TIMEOUT" },
  { type: "DEVICE_LOST" }
]

const input = (mode: Mode, output = 3): RequestInput => ({ mode, output, window: 2, maxRetries: 1 })

/** Runs events through the machine and the table; every state, context and command must be the same. */
const agree = (
  start: RequestInput,
  events: readonly RequestEvent[]
): { readonly state: string; readonly commands: readonly RequestCommand[] } => {
  let [snapshot, first] = initialTransition(requestMachine, start)
  const request: Steppable = { state: requestTable.initialState, context: requestTable.initialContext(start) }
  const all: RequestCommand[] = [...requestTable.initialCommands]
  expect(first.map(({ type, params }) => ({ type, ...(params as object | undefined) }))).toEqual(all)
  for (const event of events) {
    const commands: RequestCommand[] = []
    requestTable.step(request, event, commands)
    // An actor that is done hears nothing more; the pure function would.
    const [next, actions] =
      snapshot.status === "active" ? transition(requestMachine, snapshot, event) : [snapshot, []]
    snapshot = next
    expect(requestTable.states[request.state]).toBe(next.value)
    expect(request.context).toEqual(next.context)
    expect(commands).toEqual(actions.map(({ type, params }) => ({ type, ...(params as object | undefined) })))
    all.push(...commands)
  }
  return { state: requestTable.states[request.state]!, commands: all }
}

const pathsOf = (mode: Mode) =>
  createTestModel(requestMachine, {
    events: EVENTS,
    input: input(mode),
    limit: 100_000,
    stopWhen: (snapshot) => snapshot.status !== "active",
    serializeState: ({ value, context }) =>
      `${JSON.stringify(value)} ${context.mode} ${context.committed} ${context.retries}`
  }).getShortestPaths()

describe("the compiled request table", () => {
  const modes: readonly Mode[] = ["full", "rounds", "unverified"]

  it.each(modes)("follows the machine on all model-based paths in %s mode", (mode) => {
    const paths = pathsOf(mode)
    expect(paths.length).toBeGreaterThan(10)
    for (const { steps } of paths) {
      // Every event in the state a path leads to, too: also those it ignores.
      const path = steps
        .map(({ event }) => event)
        .filter(({ type }) => EVENTS.some((one) => one.type === type))
      for (const event of EVENTS) agree(input(mode), [...path, event])
    }
  })

  it("reaches every state", () => {
    const reached = modes.flatMap((mode) =>
      pathsOf(mode).flatMap(({ steps, state }) => [...steps.map((step) => step.state), state])
    )
    expect([...new Set(reached.map(({ value }) => value))].toSorted()).toEqual(requestTable.states.toSorted())
  })

  const walk = fc.record({
    mode: fc.constantFrom(...modes),
    output: fc.integer({ min: 1, max: 6 }),
    events: fc.array(fc.constantFrom(...EVENTS), { maxLength: 60 })
  })

  it("follows the machine on random walks", () => {
    fc.assert(
      fc.property(walk, ({ mode, output, events }) => void agree(input(mode, output), events)),
      { numRuns: 300 }
    )
  })

  it("finishes at most once, never uncommits, never overruns the output", () => {
    fc.assert(
      fc.property(walk, ({ mode, output, events }) => {
        const request: Steppable = {
          state: requestTable.initialState,
          context: requestTable.initialContext(input(mode, output))
        }
        const commands: RequestCommand[] = []
        let committed = 0
        let finishes = 0
        for (const event of events) {
          requestTable.step(request, event, commands)
          expect(request.context.committed).toBeGreaterThanOrEqual(committed)
          expect(request.context.committed).toBeLessThanOrEqual(output)
          committed = request.context.committed
          finishes = commands.filter(({ type }) => type === "finish").length
          expect(finishes).toBeLessThanOrEqual(1)
        }
        const ended = ["finished", "cancelled", "timedOut", "failed"].includes(
          requestTable.states[request.state]!
        )
        expect(finishes).toBe(ended ? 1 : 0)
        if (requestTable.states[request.state] === "finished") expect(committed).toBe(output)
        // Whatever ends or is preempted gives up what it holds.
        expect(commands.filter(({ type }) => type === "release").length).toBeGreaterThanOrEqual(finishes)
      }),
      { numRuns: 500 }
    )
  })

  it("falls back to full KV once the retries are used up, and keeps what is committed", () => {
    const { state, commands } = agree(input("rounds"), [
      { type: "ADMITTED", context: "fetch" },
      { type: "FETCHED" },
      { type: "SCHEDULED", window: 2 },
      { type: "RELOAD_STARTED" },
      { type: "RELOAD_FAILED" },
      { type: "RELOAD_STARTED" },
      { type: "DRAFTED", tokens: 2 },
      { type: "RELOAD_FAILED" },
      { type: "STEPPED", tokens: 3 }
    ])
    expect(state).toBe("finished")
    expect(commands.map(({ type }) => type)).toEqual([
      "enqueue",
      "fetch",
      "compress",
      "reserve",
      "draft",
      "reload",
      "fallback",
      "decode",
      "release",
      "finish"
    ])
  })
})
