/** Where a text stops being JSON. `JSON.parse` decides whether it is; this says where, the same on every engine. */

/** `column` counts characters from 1. */
export interface JsonFault {
  readonly column: number
  readonly expected: string
  readonly found: string
}

const SPACE = /[ \t\r\n]*/y
/** Anything but quotes, backslashes and control characters stands for itself. */
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

/** The first fault of `text`, or `undefined` if it is one JSON value and nothing more. */
export const jsonFault = (text: string): JsonFault | undefined => {
  const scanner = new Scanner(text)
  scanner.value()
  scanner.nothingMore()
  return scanner.fault
}

/** What is at an index of `text`, for people. */
export const describeAt = (text: string, index: number): string => {
  const rest = text.slice(index)
  if (rest === "") return "the end of the line"
  return rest.length <= 20 ? `"${rest}"` : `"${rest.slice(0, 20)}…"`
}

/** Walks over the text until the first fault; from there on nothing matches. */
class Scanner {
  readonly #text: string
  #index = 0
  fault: JsonFault | undefined

  constructor(text: string) {
    this.#text = text
  }

  value(): void {
    if (this.#skip("{")) this.#list("}", "a member", () => this.#member())
    else if (this.#skip("[")) this.#list("]", "an element", () => this.value())
    else if (this.#text[this.#index] === '"') this.#take(STRING, "a string that ends on its line")
    else if (!this.#matches(NUMBER) && !this.#matches(WORD)) this.#fail("a JSON value")
  }

  nothingMore(): void {
    this.#matches(SPACE)
    if (this.#index < this.#text.length) this.#fail("the end of the line")
  }

  #member(): void {
    this.#matches(SPACE)
    this.#take(STRING, "a name in quotes")
    if (!this.#skip(":")) this.#fail('":"')
    this.value()
  }

  /** Items between commas up to `close`. */
  #list(close: string, item: string, each: () => void): void {
    if (this.#skip(close)) return
    for (;;) {
      each()
      if (this.fault !== undefined || this.#skip(close)) return
      if (!this.#skip(",")) return this.#fail(`"," and ${item}, or "${close}"`)
    }
  }

  /** Passes over space and then `mark`, if it is there. */
  #skip(mark: string): boolean {
    this.#matches(SPACE)
    if (this.fault !== undefined || this.#text[this.#index] !== mark) return false
    this.#index++
    return true
  }

  #take(pattern: RegExp, expected: string): void {
    if (!this.#matches(pattern)) this.#fail(expected)
  }

  #matches(pattern: RegExp): boolean {
    if (this.fault !== undefined) return false
    pattern.lastIndex = this.#index
    if (!pattern.test(this.#text)) return false
    this.#index = pattern.lastIndex
    return true
  }

  #fail(expected: string): void {
    this.fault ??= { column: this.#index + 1, expected, found: describeAt(this.#text, this.#index) }
  }
}
