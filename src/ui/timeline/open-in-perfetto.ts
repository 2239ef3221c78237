/**
 * Hands a trace to Perfetto's own page: it is opened, asked PING until it answers PONG, and then sent the bytes. Fails where this page
 * is served with `Cross-Origin-Opener-Policy: same-origin`, which takes away the other window.
 */
import { perfettoTrace } from "../../trace/perfetto.ts"
import type { TraceView } from "../shell/traces.ts"

const PERFETTO = "https://ui.perfetto.dev"
const EVERY_MS = 50
const PATIENCE_MS = 30_000

/** Where the messages go and come from: the page's window, or a test's. */
export interface Windows {
  /** Opens the viewer; null where the browser does not let it. */
  readonly open: (address: string) => Pick<Window, "postMessage"> | null
  readonly listen: (told: (event: Pick<MessageEvent, "source" | "data" | "origin">) => void) => () => void
  /** Calls again and again; returns how to stop. */
  readonly every: (milliseconds: number, what: () => void) => () => void
}

/** The browser's. */
export const browserWindows: Windows = {
  open: (address) => window.open(address),
  listen: (told) => {
    addEventListener("message", told)
    return () => removeEventListener("message", told)
  },
  every: (milliseconds, what) => {
    const timer = setInterval(what, milliseconds)
    return () => clearInterval(timer)
  }
}

/** Settles when the trace is with the viewer; fails with a sentence for the user. */
export const openInPerfetto = (trace: TraceView, title: string, windows = browserWindows): Promise<void> =>
  new Promise((resolve, reject) => {
    const viewer = windows.open(PERFETTO)
    if (viewer === null) {
      reject(
        new Error("the browser did not open Perfetto's window: allow pop-ups of this page and try again")
      )
      return
    }
    let asked = 0
    const stop = (): void => {
      unlisten()
      retire()
    }
    const unlisten = windows.listen(({ source, data, origin }) => {
      if (source !== viewer || data !== "PONG" || origin !== PERFETTO) return
      stop()
      const buffer = joined([...perfettoTrace(trace)])
      viewer.postMessage({ perfetto: { buffer, title } }, PERFETTO)
      resolve()
    })
    const retire = windows.every(EVERY_MS, () => {
      viewer.postMessage("PING", PERFETTO)
      if (++asked * EVERY_MS < PATIENCE_MS) return
      stop()
      reject(new Error("Perfetto's page did not answer in half a minute: is ui.perfetto.dev in reach?"))
    })
  })

const joined = (chunks: readonly Uint8Array[]): ArrayBuffer => {
  const buffer = new ArrayBuffer(chunks.reduce((sum, { length }) => sum + length, 0))
  const bytes = new Uint8Array(buffer)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return buffer
}
