/** What requests lived through, one after the other as they arrived: what steady-state means are made of. */
import type { EventKind, EventArgs, Recorder } from "../../trace/recorder.ts"

/** Seconds from arrival. */
interface Life {
  readonly arrival: number
  admitted?: number
  finished?: number
}

const NS = 1e-9

/** Keeps when requests arrived, were admitted and finished, and nothing else. */
export class RequestSeries implements Recorder {
  readonly #lives = new Map<number, Life>()
  #tracks = 0
  #events = 0

  readonly track = (): number => this.#tracks++
  readonly slice = (): number => this.#events++
  readonly counter = (): void => {}
  readonly flow = (): void => {}

  readonly instant = (_: number, kind: EventKind, at: number, args: EventArgs = {}): number => {
    const { request } = args
    if (request !== undefined) {
      const life = this.#lives.get(request)
      if (kind === "arrive" && life === undefined) this.#lives.set(request, { arrival: at * NS })
      else if (kind === "admit" && life !== undefined) life.admitted ??= at * NS
      else if (kind === "finish" && life !== undefined) life.finished = at * NS
    }
    return this.#events++
  }

  #inOrder(of: (life: Life) => number | undefined): readonly number[] {
    return [...this.#lives]
      .toSorted(([a], [b]) => a - b)
      .flatMap(([, life]) => {
        const end = of(life)
        return end === undefined ? [] : [end - life.arrival]
      })
  }

  /** Seconds from arrival to admission, of those admitted, in the order of arrival. */
  get waits(): readonly number[] {
    return this.#inOrder(({ admitted }) => admitted)
  }

  /** Seconds from arrival to last token, of those finished. */
  get residences(): readonly number[] {
    return this.#inOrder(({ finished }) => finished)
  }
}
