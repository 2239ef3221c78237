import { significant } from "../output/number.ts"

/** Where progress is written: stderr, or what stands in for it. */
export interface ProgressStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** How far a sweep is and how long it will take: one line on a terminal, a line for every tenth in a log. */
export class SweepProgress {
  readonly #stream: ProgressStream
  readonly #total: number
  /** Points that were there before. */
  readonly #before: number
  readonly #now: () => number
  readonly #start: number
  readonly #unit: string
  #lastShown = 0
  #tenth: number

  /** `now`: milliseconds of a clock that does not go back; `unit`: what is counted. */
  constructor(
    stream: ProgressStream,
    total: number,
    before: number,
    now: () => number,
    unit: string = "points"
  ) {
    this.#stream = stream
    this.#total = total
    this.#before = before
    this.#now = now
    this.#unit = unit
    this.#start = now()
    this.#tenth = Math.floor((10 * before) / Math.max(1, total))
  }

  /** `done` of the total are there. */
  at(done: number): void {
    const now = this.#now()
    if (this.#stream.isTTY) {
      if (now - this.#lastShown < 100 && done < this.#total) return
      this.#lastShown = now
      this.#stream.write(`\r\u001b[K${this.#words(done, now)}`)
      return
    }
    const tenth = Math.floor((10 * done) / Math.max(1, this.#total))
    if (tenth <= this.#tenth) return
    this.#tenth = tenth
    this.#stream.write(`${this.#words(done, now)}\n`)
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\u001b[K")
  }

  #words(done: number, now: number): string {
    const seconds = (now - this.#start) / 1000
    const rate = (done - this.#before) / Math.max(seconds, 1e-3)
    const left = rate > 0 && done < this.#total ? `, ${duration((this.#total - done) / rate)} left` : ""
    return `${done} of ${this.#total} ${this.#unit}  ${Math.floor((100 * done) / this.#total)} %  ${significant(rate)}/s${left}`
  }
}

/** 3 s, 4 min 5 s, 2 h 10 min. */
export const duration = (seconds: number): string => {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
