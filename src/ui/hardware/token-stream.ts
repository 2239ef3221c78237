/** The output as it comes: accepted drafts, the verifier's own tokens and rejected drafts, told apart by colour, line and word. */
import { element } from "../components/element.ts"
import type { RoundTokens, TokenText } from "../workers/engine-protocol.ts"

/** White space that would not be seen in a token that was thrown away. */
const visible = (text: string): string =>
  text === "" ? "·" : text.replaceAll("\n", "\\n").replaceAll("\t", "\\t")

export const legend = (): HTMLElement =>
  element(
    "ul",
    { class: "legend", "aria-label": "Kinds of tokens" },
    element("li", {}, element("span", { class: "token accepted" }, "accepted"), " drafted, confirmed"),
    element(
      "li",
      {},
      element("ins", { class: "token own" }, "verifier’s"),
      " correction, or one more for free"
    ),
    element("li", {}, element("del", { class: "token rejected" }, "rejected"), " drafted, thrown away")
  )

export class TokenStream {
  readonly root = element("div", {
    class: "tokens",
    role: "region",
    "aria-label": "Output, token by token",
    tabindex: 0
  })
  /** Final tokens in the order of the output. */
  readonly #final: HTMLElement[] = []
  #proved = 0

  clear(): void {
    this.root.replaceChildren()
    this.#final.length = 0
    this.#proved = 0
  }

  /** The text the output goes on from. */
  begin(prompt: string): void {
    this.clear()
    const tail = prompt.length > 160 ? `…${prompt.slice(-160)}` : prompt
    this.root.append(element("span", { class: "prompt", title: "end of the prompt" }, tail))
  }

  add(round: number, { accepted, own, rejected }: RoundTokens): void {
    const follow = this.root.scrollTop + this.root.clientHeight >= this.root.scrollHeight - 24
    for (const { text } of accepted)
      this.#push(element("span", { class: "token accepted", title: `accepted in round ${round}` }, text))
    if (rejected.length > 0) this.root.append(this.#rejected(round, rejected))
    const why =
      round === 0
        ? "the verifier’s own, at the end of the prompt"
        : own.length > 0 && rejected.length > 0
          ? `the verifier’s correction in round ${round}`
          : `the verifier’s own, one more for free in round ${round}`
    for (const { text, id } of own) {
      const made = element("ins", { class: "token own", title: why }, text)
      if (id < 0) this.root.append(made)
      else this.#push(made)
    }
    if (follow) this.root.scrollTop = this.root.scrollHeight
  }

  /** The first `same` tokens are those of full-KV decoding; `differs`: the one behind them is not. */
  prove(same: number, differs: boolean): void {
    for (; this.#proved < same; this.#proved++) this.#final[this.#proved]?.classList.add("proved")
    if (differs) this.#final[same]?.classList.add("differs")
  }

  #push(token: HTMLElement): void {
    this.#final.push(token)
    this.root.append(token)
  }

  #rejected(round: number, tokens: readonly TokenText[]): HTMLElement {
    const text = tokens.map((one) => visible(one.text)).join("")
    return element(
      "del",
      { class: "token rejected", title: `${tokens.length} rejected in round ${round}` },
      text
    )
  }
}
