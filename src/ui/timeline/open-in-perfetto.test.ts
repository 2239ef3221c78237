import { describe, expect, it } from "vitest"
import { readPerfetto } from "../../trace/read-perfetto.ts"
import { aRound } from "../../trace/trace.fixture.ts"
import { openInPerfetto, type Windows } from "./open-in-perfetto.ts"

type Told = Parameters<Windows["listen"]>[0]

/** A viewer that answers the third PING, from an origin. */
const viewer = (origin: string, answers = true) => {
  const seen: unknown[] = []
  let told: Told | undefined
  let ask: (() => void) | undefined
  const window = {
    postMessage: (message: unknown) => {
      seen.push(message)
      if (answers && seen.length === 3 && message === "PING")
        told?.({ source: window as unknown as MessageEventSource, data: "PONG", origin })
    }
  }
  const windows: Windows = {
    open: () => window,
    listen: (listener) => {
      told = listener
      return () => (told = undefined)
    },
    every: (_, what) => {
      ask = what
      return () => (ask = undefined)
    }
  }
  return { seen, windows, tick: () => ask?.(), asking: () => ask !== undefined }
}

describe("a trace handed to Perfetto", () => {
  it("goes after PING and PONG, whole, and nothing is asked any more", async () => {
    const { seen, windows, tick, asking } = viewer("https://ui.perfetto.dev")
    const trace = aRound()
    const done = openInPerfetto(trace, "a round", windows)
    for (let i = 0; i < 5; i++) tick()
    await done
    expect(seen.slice(0, 3)).toEqual(["PING", "PING", "PING"])
    expect(seen.length).toBe(4)
    expect(asking()).toBe(false)
    const { perfetto } = seen[3] as {
      readonly perfetto: { readonly buffer: ArrayBuffer; readonly title: string }
    }
    expect(perfetto.title).toBe("a round")
    const { found } = readPerfetto("a", new Uint8Array(perfetto.buffer))
    expect(found!.trace.slices.length).toBe(trace.slices.length)
  })

  it("goes to nobody else, and gives up with a sentence", async () => {
    const { seen, windows, tick } = viewer("https://elsewhere.example")
    const done = openInPerfetto(aRound(), "a round", windows)
    for (let i = 0; i < 600; i++) tick()
    await expect(done).rejects.toThrow("did not answer")
    expect(seen.every((message) => message === "PING")).toBe(true)
    await expect(openInPerfetto(aRound(), "a", { ...windows, open: () => null })).rejects.toThrow(
      "allow pop-ups"
    )
  })
})
