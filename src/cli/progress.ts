/** A line of progress on a terminal; nothing where nobody watches. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  #label = ""
  #total = 0
  #shown = -1

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  begin(label: string, total: number): void {
    this.#label = label
    this.#total = total
    this.#shown = -1
    this.at(0)
  }

  /** `ended` of the total are done. */
  at(ended: number): void {
    const percent = Math.floor((100 * ended) / Math.max(1, this.#total))
    if (!this.#stream.isTTY || percent === this.#shown) return
    this.#shown = percent
    this.#stream.write(`\r\u001b[K${this.#label}  ${percent} %`)
  }

  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\u001b[K")
  }
}
