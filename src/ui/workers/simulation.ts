/** Entry of the simulation worker: one question after the other, cancelled ones let go between two events. */
import { answer } from "./answers.ts"
import { keepOwn } from "./library.ts"
import type { FromWorker, ToWorker } from "./protocol.ts"

const aborts = new Map<number, AbortController>()
let last: Promise<void> = Promise.resolve()

/** Lets messages in: a message channel is not held back as timers are. */
const channel = new MessageChannel()
const waiting: (() => void)[] = []
channel.port1.addEventListener("message", () => waiting.shift()?.())
channel.port1.start()
const pause = (): Promise<void> =>
  new Promise((done) => {
    waiting.push(done)
    channel.port2.postMessage(undefined)
  })

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if ("own" in data) return keepOwn(data.own)
  if ("cancel" in data) {
    aborts.get(data.id)?.abort()
    return
  }
  const { id, request } = data
  const abort = new AbortController()
  aborts.set(id, abort)
  const tell = (response: FromWorker["response"], transfer: readonly ArrayBuffer[] = []): void =>
    postMessage({ id, response } satisfies FromWorker, { transfer: [...transfer] })
  // What only reads is answered between two events of whatever is being simulated.
  const before = request.kind === "check" || request.kind === "point" ? Promise.resolve() : last
  const answered = before
    .then(() => (abort.signal.aborted ? undefined : answer(request, { tell, pause, signal: abort.signal })))
    .catch((error: unknown) =>
      tell({ kind: "problem", message: error instanceof Error ? error.message : String(error) })
    )
    .finally(() => aborts.delete(id))
  if (before === last) last = answered
})
