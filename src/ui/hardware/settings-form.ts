/** What a run is asked for: prompt, method and numbers; kept in the page's address. */
import { element } from "../components/element.ts"
import type { CompressorCard, GenerateSettings } from "../workers/engine-protocol.ts"

/** Prompts that come with the model. */
const PROMPTS = new Map(
  Object.entries(
    import.meta.glob<string>("../../../models/vericache-1m/prompts/*.txt", {
      query: "?raw",
      import: "default",
      eager: true
    })
  ).map(([path, text]) => [path.replace(/^.*\/|\.txt$/g, ""), text] as const)
)
const FIRST_PROMPT = "code"
const OWN = "own text"

const NUMBERS = {
  keep: {
    label: "Keep",
    definition: "Bytes of compressed KV over bytes of full KV. Methods of a fixed width have none to choose.",
    least: 0.05,
    most: 1,
    step: "any",
    first: 0.25
  },
  window: {
    label: "Draft window, tokens",
    definition: "Tokens drafted on the compressed cache between two verifications with the full one.",
    least: 1,
    most: 64,
    step: 1,
    first: 8
  },
  maxTokens: {
    label: "Output, tokens",
    definition: "Tokens to produce at most.",
    least: 1,
    most: 1024,
    step: 1,
    first: 64
  },
  temperature: {
    label: "Temperature",
    definition: "0 = greedy. Above it tokens are drawn by seed, in drafts and verifications alike.",
    least: 0,
    most: 2,
    step: "any",
    first: 0
  },
  seed: { label: "Seed", definition: "Of the draws.", least: 0, most: 999_999, step: 1, first: 0 }
} as const
type NumberName = keyof typeof NUMBERS
const NAMES = Object.keys(NUMBERS) as NumberName[]

const field = (label: string, definition: string, control: HTMLElement): HTMLElement =>
  element("label", { class: "field", title: definition }, element("span", {}, label), control)

export class SettingsForm {
  readonly root: HTMLFormElement
  readonly #source = element("select", {})
  readonly #prompt = element("textarea", { rows: 5, spellcheck: "false", name: "prompt" })
  readonly #compressor = element("select", { name: "compressor" })
  readonly #about = element("p", { class: "muted small" })
  readonly #numbers: ReadonlyMap<NumberName, HTMLInputElement>
  #cards: readonly CompressorCard[] = []
  /** The method the address asked for before the list of methods was there. */
  #wanted = "snapkv"

  /** `changed`: told whenever somebody changes something. */
  constructor(changed: () => void, ...buttons: readonly HTMLElement[]) {
    this.#source.append(...[...PROMPTS.keys(), OWN].map((name) => element("option", { value: name }, name)))
    this.#numbers = new Map(
      NAMES.map((name) => {
        const { least, most, step, first } = NUMBERS[name]
        return [
          name,
          element("input", {
            type: "number",
            name,
            min: least,
            max: most,
            step,
            value: first,
            required: true
          })
        ]
      })
    )
    this.root = element(
      "form",
      { class: "settings" },
      field("Prompt from", "Texts that come with the model, or your own.", this.#source),
      field("Prompt", "Text to go on from.", this.#prompt),
      field("Compression method", "How the drafts’ KV cache is compressed.", this.#compressor),
      this.#about,
      element(
        "div",
        { class: "numbers" },
        ...NAMES.map((name) => field(NUMBERS[name].label, NUMBERS[name].definition, this.#numbers.get(name)!))
      ),
      element("div", { class: "buttons" }, ...buttons)
    )
    this.#use(FIRST_PROMPT)
    this.#source.addEventListener("change", () => this.#use(this.#source.value))
    this.#prompt.addEventListener("input", () => {
      this.#source.value = OWN
    })
    this.root.addEventListener("change", () => {
      this.#describe()
      changed()
    })
  }

  /** All methods of the engine, once it has told them. */
  offer(cards: readonly CompressorCard[]): void {
    this.#cards = cards
    this.#compressor.replaceChildren(...cards.map(({ name }) => element("option", { value: name }, name)))
    this.#choose(this.#wanted)
  }

  get settings(): GenerateSettings {
    const number = (name: NumberName): number => this.#numbers.get(name)!.valueAsNumber
    return {
      prompt: this.#prompt.value,
      compressor: this.#compressor.value,
      keep: number("keep"),
      window: number("window"),
      maxTokens: number("maxTokens"),
      temperature: number("temperature"),
      seed: number("seed")
    }
  }

  /** As the address has it: what is as at the start is left out. */
  get view(): Readonly<Record<string, string>> {
    const view: Record<string, string> = {}
    if (this.#source.value === OWN) view["text"] = this.#prompt.value
    else if (this.#source.value !== FIRST_PROMPT) view["prompt"] = this.#source.value
    if (this.#compressor.value !== "snapkv" && this.#compressor.value !== "")
      view["compressor"] = this.#compressor.value
    for (const [name, { value }] of this.#numbers)
      if (Number(value) !== NUMBERS[name].first) view[name] = value
    return view
  }

  set view(view: Readonly<Record<string, string>>) {
    const { text, prompt } = view
    if (text !== undefined) {
      this.#source.value = OWN
      this.#prompt.value = text
    } else this.#use(prompt ?? FIRST_PROMPT)
    for (const [name, input] of this.#numbers) {
      const wanted = Number(view[name] ?? NUMBERS[name].first)
      input.valueAsNumber = Number.isFinite(wanted) ? wanted : NUMBERS[name].first
    }
    this.#choose(view["compressor"] ?? "snapkv")
  }

  #use(name: string): void {
    const known = PROMPTS.get(name)
    this.#source.value = known === undefined ? OWN : name
    if (known !== undefined) this.#prompt.value = known
  }

  #choose(name: string): void {
    this.#wanted = name
    if (this.#cards.some((card) => card.name === name)) this.#compressor.value = name
    this.#describe()
  }

  #describe(): void {
    const card = this.#cards.find(({ name }) => name === this.#compressor.value)
    if (card !== undefined) this.#wanted = card.name
    this.#about.textContent = card === undefined ? "" : `${card.summary} ${card.source}`
    this.#numbers.get("keep")!.disabled = card?.takesKeep === false
  }
}
